"""The records of a run, and their JSON."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Literal

import torch
from pydantic import Field, ValidationError

from inrvid.config import Positive, StrictModel
from inrvid.errors import InrvidError
from inrvid.files import read_bytes, read_text, write_text

GROUPS = ("kernels", "generation", "training", "evaluation", "data")


class Seconds(StrictModel):
    """Of one call."""

    median: Positive
    min: Positive
    max: Positive
    rounds: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> Seconds:
        return cls(median=median(samples), min=min(samples), max=max(samples), rounds=len(samples))


class Case(StrictModel):
    """One thing that was measured. `id` is group/subject/what/precision."""

    group: str
    subject: str = Field(description="operation, recipe, metric, or ceiling")
    what: str = Field(description="its size, or the part of the work")
    precision: str
    seconds: Seconds | None = Field(None, description="none if it failed")
    parts: dict[str, float] = Field({}, description="median seconds of what the time is made of")
    rates: dict[str, float] = Field({}, description="by unit, at the median time")
    ratios: dict[str, float] = Field({}, description="of ceiling, speed-up over eager, ...")
    ceilings: dict[str, float] = Field({}, description="measured in turns with it; GFLOP/s and GB/s")
    memory: dict[str, int] = Field({}, description="bytes")
    note: str = ""
    error: str = ""

    @property
    def id(self) -> str:
        return "/".join((self.group, self.subject, self.what, self.precision))


class Result(StrictModel):
    """One run of `python -m benchmarks`."""

    schema_version: Literal[1] = 1
    """Goes up when a file of the former kind can no longer be read."""
    date: str
    device: dict[str, str]
    versions: dict[str, str]
    options: dict[str, str | int | bool | list[str]] = Field({}, description="as asked for")
    cases: list[Case]

    @property
    def failed(self) -> list[Case]:
        return [case for case in self.cases if case.error]


def save(result: Result, path: Path) -> None:
    write_text(path, to_json(result))


def to_json(result: Result) -> str:
    return result.model_dump_json(indent=1) + "\n"


def load(path: Path) -> Result:
    """Raises InrvidError if the file holds something else; OSError if there is none."""
    try:
        return Result.model_validate_json(read_bytes(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise InrvidError(f"{path}: not a result of this version's benchmarks ({what})") from None


def collected(
    cases: Sequence[Case], device: torch.device, options: Mapping[str, str | int | bool | list[str]]
) -> Result:
    """The cases with where and when."""
    return Result(
        date=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        device=describe(device),
        versions=versions(),
        options=dict(options),
        cases=list(cases),
    )


def describe(device: torch.device) -> dict[str, str]:
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return {
            "type": "cuda",
            "name": properties.name,
            "memory": f"{properties.total_memory / 2**30:.0f} GiB",
            "capability": f"{properties.major}.{properties.minor}",
            "threads": str(torch.get_num_threads()),
        }
    return {
        "type": "cpu",
        "name": _cpu_name(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }


def versions() -> dict[str, str]:
    """Of what is installed."""
    from inrvid import __version__

    found = {"inrvid": __version__, "torch": torch.__version__, "python": platform.python_version()}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found["triton"] = importlib.metadata.version("triton")
    found |= {"cuda": torch.version.cuda} if torch.version.cuda else {}
    return found | {"system": platform.system()}


def _cpu_name() -> str:
    try:
        lines = read_text(Path("/proc/cpuinfo")).splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
