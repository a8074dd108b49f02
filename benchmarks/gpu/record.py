"""The rows of a stage: printed as they are found, kept as JSON with device, versions and date."""

from __future__ import annotations

import dataclasses
import gc
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from inrvid.errors import InrvidError
from inrvid.files import read_text, write_text

from ..harness import one_line
from ..results import collected, describe, versions

Values = dict[str, float | int | str]


@dataclasses.dataclass
class Record:
    """A stage's file.

    Args:
        minutes: after which no further row is begun.
    """

    stage: str
    folder: Path
    device: torch.device
    minutes: float
    only: Sequence[str] = ()
    """Rows whose name holds none of these are left out."""
    started: float = dataclasses.field(default_factory=time.monotonic)
    rows: dict[str, Values] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self._where = {"device": describe(self.device) | driver(), "versions": versions()}
        if self.path.exists():
            self.rows = self._known()
        print(f"\n== {self.stage}: {', '.join(self._where['device'].values())}", flush=True)

    def _known(self) -> dict[str, Values]:
        """Rows of the file, to go on from. Raises InrvidError: another device's or other versions', or no record."""
        try:
            known = json.loads(read_text(self.path))
            where, rows = {key: dict(known[key]) for key in self._where}, dict(known["rows"])
        except (ValueError, KeyError, TypeError):
            raise InrvidError(f"{self.path}: no record of this kind: give another --out") from None
        for about in (where, own := json.loads(json.dumps(self._where))):
            about["device"].pop("threads", None)
        if where != own:
            theirs = ", ".join(map(str, [*where["device"].values(), *where["versions"].values()]))
            raise InrvidError(f"{self.path}: a record of {theirs}, which this is not: give another --out")
        return rows

    @property
    def path(self) -> Path:
        return self.folder / f"{self.stage}.json"

    def add(self, name: str, measure: Callable[[], Values]) -> None:
        """Measure a row, unless it is known or the time is up; an error is a result."""
        if not self.wants(name):
            return
        if "error" not in self.rows.get(name, {"error": ""}):
            self._show(name, "as before")
            return
        if time.monotonic() - self.started > 60 * self.minutes:
            print(f"{name}: not measured, {self.minutes:g} minutes are over", flush=True)
            return
        began = time.monotonic()
        try:
            row = measure()
        except Exception as error:
            row = {"error": one_line(error)}
        self.put(name, row | {"took": round(time.monotonic() - began, 1)})
        if self.device.type == "cuda":
            gc.collect()  # a training refers to itself
            torch.cuda.empty_cache()

    def wants(self, name: str) -> bool:
        return not self.only or any(part in name for part in self.only)

    def put(self, name: str, row: Values) -> None:
        """Keep a row that was found."""
        self.rows[name] = row
        self._save()
        self._show(name)

    @property
    def failed(self) -> list[str]:
        return [name for name, row in self.rows.items() if "error" in row]

    def _save(self) -> None:
        date = collected([], self.device, {}).date
        write_text(
            self.path, json.dumps({"stage": self.stage, "date": date, **self._where, "rows": self.rows}, indent=1)
        )

    def _show(self, name: str, note: str = "") -> None:
        told = "  ".join(f"{key} {_short(value)}" for key, value in self.rows[name].items() if key != "took")
        print(f"{name:<44} {told} {note}".rstrip(), flush=True)


def driver() -> dict[str, Any]:
    """The driver's version, where there is one."""
    try:
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"driver": told.splitlines()[0].strip()}


def _short(value: float | int | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
