"""Records of evaluations side by side: ranked among those with comparable scores, the others apart."""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from ..documents import DocumentError, parse
from ..errors import InrvidError
from ..files import read_bytes
from ..run_files import EVALUATION
from .protocol import IN_NAMES
from .record import Record, Score, metric_name
from .variant import value_text, variant_text

LIMIT = 4 * 2**20
"""Most bytes of a record; larger files are not records."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A record, and the file in which it was found."""

    path: Path
    record: Record


class Place(NamedTuple):
    score: Score
    rank: int


class Difference(NamedTuple):
    """A field in which two groups differ, and its value in each."""

    field: str
    before: str
    here: str

    def __str__(self) -> str:
        return f"{self.field}: {self.before} → {self.here}"


@dataclasses.dataclass(frozen=True)
class Row:
    entry: Entry
    places: Mapping[str, Place]
    """By the score's name, for those that the record has."""

    @property
    def clips(self) -> str:
        """How many were generated: '2048', or '2048, 512' for several windows."""
        return ", ".join(str(count) for count in dict.fromkeys(self.entry.record.fake.clips.values()))


@dataclasses.dataclass(frozen=True)
class Group:
    """Records with the same `Record.comparable`, the best by the first score first.

    Attributes:
        scores: names of all scores: the columns.
        differences: from the group before it; empty for the first.
    """

    rows: Sequence[Row]
    scores: Sequence[str]
    differences: Sequence[Difference] = ()

    @property
    def heading(self) -> list[str]:
        """Protocol, variant, data and detectors, a line each."""
        record = self.rows[0].entry.record
        fields = _compared(record)
        variant = variant_text(record.variant)
        detectors = ", ".join(f"{name} ({digest.sha256[:12] or 'no weights'})" for name, digest in _detectors(record))
        lines = [f"protocol {fields['protocol'][1]}", f"variant: {variant}" if variant else "no variant"]
        return [*lines, f"data: {fields['data'][1]}, {fields['resolution'][1]}", f"detectors: {detectors or 'none'}"]

    def better(self, name: str) -> str:
        """'lower' or 'higher'."""
        return next(row.places[name].score.better for row in self.rows if name in row.places)


def find_records(paths: Iterable[Path]) -> tuple[list[Entry], list[str]]:
    """Find records: (records, problems with files, one line each). A record that is in several files counts once.

    Args:
        paths: files; and folders, in which every JSON file that calls itself a record counts as one.
    """
    found: dict[str, Entry] = {}
    problems: list[str] = []
    for path in paths:
        for file, asked in _files(path, problems):
            try:
                record = _read(file, asked)
            except InrvidError as error:
                problems.append(str(error))
                continue
            if record is not None:
                found.setdefault(record.model_dump_json(), Entry(file, record))
    return list(found.values()), list(dict.fromkeys(problems))


def _files(path: Path, problems: list[str]) -> Iterator[tuple[Path, bool]]:
    """Files that may be records, and whether each was named explicitly. Links to folders are not followed."""
    if not path.is_dir():
        yield path, True
        return

    def tell(error: OSError) -> None:
        problems.append(f"{error.filename}: {error.strerror or error}")

    for folder, below, names in os.walk(path, onerror=tell):
        below.sort()
        for name in sorted(names):
            if name.endswith(".json"):
                yield Path(folder, name), False


def _read(path: Path, asked: bool) -> Record | None:
    """A record; None if it is not one and was not said to be. Raises InrvidError if it should be, but is damaged."""
    asked = asked or path.name == EVALUATION
    try:
        content = read_bytes(path, LIMIT)
    except OSError as error:
        if not asked and error.errno == errno.EFBIG:
            return None
        raise InrvidError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not asked and not _calls_itself_record(content):
        return None
    try:
        return parse(content, Record)
    except DocumentError as error:
        raise InrvidError(f"{path}: not a record of an evaluation: {error}") from None


def _calls_itself_record(content: bytes) -> bool:
    """Whether a file says that it is a record; also True if it is not valid JSON: that is damage, whatever it was."""
    try:
        data = from_json(content.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return True
    return isinstance(data, dict) and "inrvid_record" in data


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """Groups of comparable records; groups of one protocol are next to each other."""
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        by_key.setdefault(entry.record.comparable, []).append(entry)
    groups: list[Group] = []
    for members in sorted(by_key.values(), key=lambda members: _order(members[0].record)):
        before = groups[-1].rows[0].entry.record if groups else None
        differences = [] if before is None else compared(before, members[0].record)
        groups.append(_group(members, differences))
    return groups


def _order(record: Record) -> tuple[Any, ...]:
    return record.protocol, record.protocol_version, bool(record.variant), record.real.name, record.comparable


def _group(entries: Sequence[Entry], differences: Sequence[Difference]) -> Group:
    columns: dict[tuple[str, str], dict[int, Score]] = {}
    for number, entry in enumerate(entries):
        for name, score in entry.record.scores.items():
            columns.setdefault((name, _settings(entry.record, name)), {})[number] = score
    every = list(columns)
    names = [_label(column, every) for column in every]
    places: list[dict[str, Place]] = [{} for _ in entries]
    for label, scores in zip(names, columns.values(), strict=True):
        for number, rank in zip(scores, ranks(list(scores.values())), strict=True):
            places[number][label] = Place(scores[number], rank)
    rows = [Row(entry, own) for entry, own in zip(entries, places, strict=True)]
    return Group(sorted(rows, key=lambda row: _row_order(row, names)), names, differences)


def _settings(record: Record, score: str) -> str:
    """The metric of a score with all its keys: measured with other keys, it is another score, whatever its name."""
    lists = [record.settings.get(key) for key in ("metrics", "optional")]
    for metric in [metric for own in lists if isinstance(own, list) for metric in own]:
        if isinstance(metric, dict):
            keys = (metric.get(key) for key in IN_NAMES)
            if metric_name(*keys) == score.split("/")[0]:
                detector = metric.get("detector")
                if isinstance(detector, dict):  # where its weights are does not count: the record has their sha256
                    known = {key: value for key, value in detector.items() if key not in ("path", "weights", "sha256")}
                    metric = {**metric, "detector": known}
                return json.dumps(metric, sort_keys=True)
    return "{}"


def _label(column: tuple[str, str], columns: Sequence[tuple[str, str]]) -> str:
    """The score's name and, if an earlier column has the same, the keys that tell them apart."""
    name, settings = column
    first = next(other for other in columns if other[0] == name)
    own, before = json.loads(settings), json.loads(first[1])
    told = [f"{key}={value}" for key, value in own.items() if before.get(key) != value]
    return name if column == first else f"{name} ({', '.join(told) or 'otherwise'})"


def _row_order(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    """By rank and value of the first score, then of the next; a score that a record lacks counts as the worst."""
    keys: list[tuple[float, float]] = []
    for name in names:
        place = row.places.get(name)
        sign = -1 if place is not None and place.score.better == "higher" else 1
        keys.append((math.inf, math.inf) if place is None else (place.rank, sign * place.score.value))
    return (*keys, str(row.entry.path))


def ranks(scores: Sequence[Score]) -> list[int]:
    """For each score, 1 plus the number of scores that are better by more than chance: two whose difference is below
    the root of the sum of their squared errors are not told apart."""
    return [1 + sum(_clearly_better(other, score) for other in scores) for score in scores]


def _clearly_better(score: Score, other: Score) -> bool:
    if score.better == "neither":
        return False
    lead = other.value - score.value if score.better == "lower" else score.value - other.value
    return lead > 0 and lead >= math.hypot(score.error or 0.0, other.error or 0.0)


def compared(before: Record, here: Record) -> list[Difference]:
    """The fields that keep the scores of two records from being compared."""
    old, new = _compared(before), _compared(here)
    nothing = ("", "—")
    differences = []
    for field in dict.fromkeys([*old, *new]):
        a, b = old.get(field, nothing), new.get(field, nothing)
        if a[0] != b[0] and not (nothing in (a, b) and _is_detail(field)):
            differences.append(Difference(field, a[1], b[1]))
    return differences


def _is_detail(field: str) -> bool:
    """Whether a field is not shown for a detector that one of two records does not have at all."""
    return field.startswith("detector ") and not field.endswith(": sha256")


def _compared(record: Record) -> dict[str, tuple[str, str]]:
    """By field: what is compared (`Record.comparable` has the same), and how it is shown."""
    height, width = (*record.resolution, 0, 0)[:2]
    fields = {"protocol": f"{record.protocol} {record.protocol_version}", "resolution": f"{width}×{height}"}
    fields |= {"speed of generated videos": f"{record.speed:g} times", "generated classes": record.classes}
    for what, side in (("real", record.real), ("generated", record.fake)):
        fields |= {f"{what} clips of {window}": str(count) for window, count in side.clips.items()}
    for name, digest in _detectors(record):
        fields |= {f"detector {name}: {key}": str(value) for key, value in digest.model_dump().items()}
    found = {field: (value, value) for field, value in fields.items()}
    found |= {f"variant {key}": (str(value), value_text(key, value)) for key, value in record.variant.items()}
    return found | {"data": (record.real.fingerprint, f"{record.real.name} ({record.real.fingerprint[:12]})")}


def _detectors(record: Record) -> list[tuple[str, Any]]:
    return sorted(record.detectors.items())


def as_data(groups: Sequence[Group]) -> dict[str, Any]:
    """Groups as plain data, for programs."""
    return {"groups": [_group_data(group) for group in groups]}


def _group_data(group: Group) -> dict[str, Any]:
    record = group.rows[0].entry.record
    return {
        "protocol": record.protocol,
        "protocol_version": record.protocol_version,
        "variant": record.variant,
        "data": {"name": record.real.name, "fingerprint": record.real.fingerprint},
        "detectors": {name: digest.sha256 for name, digest in _detectors(record)},
        "resolution": record.resolution,
        "differs_from_the_one_before": [difference._asdict() for difference in group.differences],
        "records": [_row_data(row) for row in group.rows],
    }


def _row_data(row: Row) -> dict[str, Any]:
    record = row.entry.record
    scores = {
        name: {"rank": place.rank, **place.score.model_dump(exclude_none=True)} for name, place in row.places.items()
    }
    about = {"name": record.fake.name, "path": str(row.entry.path), "date": record.date, "clips": record.fake.clips}
    return {**about, "scores": scores, "notes": record.notes}
