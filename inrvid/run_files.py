"""What a run writes and others read again: lines of metrics.jsonl, scores.json and evaluation.json.

A line that was damaged, or cut short by a kill, costs only that line; readers say how many there were.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from .documents import Document, DocumentError, parse, read
from .files import opened

METRICS, SCORES, EVALUATION = "metrics.jsonl", "scores.json", "evaluation.json"

LONGEST_LINE = 2**16
Number = Annotated[int, Field(ge=0, lt=10**15)]


class Record(Document):
    """A line of metrics.jsonl: the means since the line before it, by name. None: not a finite number."""

    model_config = ConfigDict(extra="allow")

    step: Number
    clips: Number
    __pydantic_extra__: dict[str, float | None]

    @property
    def values(self) -> dict[str, float | None]:
        return {**self.model_dump()}


class Scores(Document):
    """scores.json: scores of the untrained generator and the trained one, by `metric/part`."""

    untrained: dict[str, float] = Field({})
    trained: dict[str, float] = Field({})


class Score(Document):
    value: float
    error: float | None = None
    better: Literal["lower", "higher", "neither"] = "lower"


class Evaluation(Document):
    """The part of evaluation.json that is shown for a run; `inrvid.evaluation.record` has all of it."""

    protocol: str
    protocol_version: int
    variant: dict[str, Any] = Field({})
    scores: dict[str, Score]
    notes: list[str] = Field([])
    date: str = ""


def lines(path: Path) -> Iterator[tuple[str, Record | None]]:
    """Each line of metrics.jsonl, and what it says; None for a damaged one. The last is left out while it is written,
    or if a kill cut it short. Raises OSError if the file cannot be read."""
    with opened(path) as file:
        while line := file.readline(LONGEST_LINE):
            if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
                return
            try:
                yield line.decode(errors="replace").rstrip("\n"), parse(line, Record)
            except DocumentError:
                yield "", None


def read_metrics(path: Path) -> tuple[list[dict[str, Any]], int]:
    """(records, number of damaged lines). Raises OSError if the file cannot be read."""
    records = [record for _, record in lines(path)]
    return [record.values for record in records if record is not None], records.count(None)


def read_scores(path: Path) -> tuple[Scores, str]:
    """(scores, what is wrong with the file, if anything); no scores if there is no file."""
    if not path.exists():
        return Scores(), ""
    try:
        return read(path, Scores), ""
    except DocumentError as error:
        return Scores(), str(error)


def read_evaluation(path: Path) -> tuple[Evaluation | None, str]:
    """(record, what is wrong with the file, if anything)."""
    if not path.exists():
        return None, ""
    try:
        return read(path, Evaluation), ""
    except DocumentError as error:
        return None, str(error)
