"""The records of a folder as Markdown: `python -m benchmarks.gpu.tables DIR`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inrvid.files import read_text

from ..text import number

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]


def figure(key: str, unit: float = 1) -> Callable[[Row], str]:
    return lambda row: number(row[key] * unit) if key in row else ""


def count(key: str) -> Callable[[Row], str]:
    return lambda row: str(row.get(key, ""))


def errors(row: Row) -> str:
    """What tests recorded: relative errors, the largest of each."""
    known = ("passed", "skipped", "took", "error", "run")
    return ", ".join(f"{name} {value:.1e}" for name, value in row.items() if name not in known)


STEP: Sequence[Column] = (
    ("ms a step", figure("ms a step")),
    ("s a thousand frames", figure("s a 1000 frames")),
    ("clips/s", figure("clips/s")),
    ("peak, GB", figure("peak GB")),
)
LAYOUTS: Mapping[str, Mapping[str, Sequence[Column]]] = {
    "truth": {"tests": (("passed", count("passed")), ("failed", count("error")), ("largest relative errors", errors))},
    "systems": {
        "step": STEP,
        "step unsearched": STEP,
        "step compiled": STEP,
        "generate": (("ms", figure("ms")), ("ms a frame", figure("ms a frame")), ("peak, GB", figure("peak GB"))),
        "generate by a graph": (("ms", figure("ms")), ("ms a frame", figure("ms a frame"))),
        "load": (("clips/s", figure("clips/s")),),
    },
    "kernels": {
        "": (
            ("µs", figure("µs")),
            ("GB/s", figure("GB/s")),
            ("TFLOP/s", figure("GFLOP/s", 1e-3)),
            ("of ceiling", figure("of_ceiling")),
            ("over eager", figure("over_eager")),
            ("torch.compile, µs", figure("compiled, µs", 1)),
        )
    },
}
"""Of a stage's rows, by how their names begin."""


def tables(folder: Path) -> str:
    found = []
    for stage, kinds in LAYOUTS.items():
        path = folder / f"{stage}.json"
        if not path.exists():
            continue
        record = json.loads(read_text(path))
        where = ", ".join([*record["device"].values(), *(f"{k} {v}" for k, v in record["versions"].items())])
        found.append(f"**{stage}** ({where}; {record['date'][:10]})")
        for kind, columns in kinds.items():
            rows = {
                name: row
                for name, row in record["rows"].items()
                if not kind or name.split("/")[0].split(".")[0] == kind
            }
            if rows:
                found.append(_table(rows, columns))
    return "\n\n".join(found) + "\n"


def _table(rows: Mapping[str, Row], columns: Sequence[Column]) -> str:
    lines = ["| | " + " | ".join(title for title, _ in columns) + " |", "| --- |" + " ---: |" * len(columns)]
    lines += [f"| {name} | " + " | ".join(show(row) for _, show in columns) + " |" for name, row in rows.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else Path("-h")
    if not any((folder / f"{stage}.json").exists() for stage in ("truth", "kernels", "systems")):
        print("python -m benchmarks.gpu.tables FOLDER: one with records of benchmarks.gpu", file=sys.stderr)
        sys.exit(2)
    print(tables(folder), end="")
