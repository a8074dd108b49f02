"""The library computes on the device what it computes elsewhere: the tests that say so, run there.

`tests/kernels` compares every operation, its gradients and their gradients with the definition in float64;
`tests/device` has golden values, training steps, waiting, large tensors and whole runs. A row is a file of tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from .record import Record, Values

ROOT = Path(__file__).parents[2]
FOLDERS = ("tests/device", "tests/kernels")


def run(record: Record, smoke: bool) -> None:
    folders = FOLDERS[:1] if smoke else FOLDERS
    files = [str(path.relative_to(ROOT)) for folder in folders for path in sorted((ROOT / folder).glob("test_*.py"))]
    wanted = [file for file in files if record.wants(file.removesuffix(".py").replace("/", "."))]
    for file, row in (_rows(wanted, record) if wanted else {}).items():
        record.put(file, row)


def _rows(files: Sequence[str], record: Record) -> dict[str, Values]:
    """Passed, failed and skipped tests of each file, and what the tests recorded."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        workers = str(min(14, os.cpu_count() or 1)) if record.device.type == "cuda" else "0"
        command = [sys.executable, "-m", "pytest", *files, "-q", "-n", workers, "--dist", "loadgroup"]
        done = subprocess.run(
            [*command, "--junitxml", report.name, "-p", "no:cacheprovider", "--tb=short"],
            cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        told = done.stdout[-200_000:] + done.stderr[-20_000:]
        (record.folder / "tests.log").write_text(told)
        if not Path(report.name).stat().st_size:
            return {"tests": {"error": told.strip()[-300:]}}
        cases = list(ElementTree.parse(report.name).iter("testcase"))
    rows: dict[str, Values] = defaultdict(lambda: {"passed": 0, "skipped": 0})
    for case in cases:
        row = rows[str(case.get("classname"))]
        wrong = case.find("failure") if case.find("failure") is not None else case.find("error")
        if wrong is not None:
            row["error"] = (
                f"{row.get('error', '')} {case.get('name')}: {' '.join(wrong.get('message', '').split())[:160]}".strip()
            )
        elif case.find("skipped") is not None:
            row["skipped"] = int(row["skipped"]) + 1
        else:
            row["passed"] = int(row["passed"]) + 1
        for own in case.iter("property"):
            name, value = str(own.get("name")), float(str(own.get("value")))
            row[name] = max(float(row.get(name, 0)), value)
    return dict(rows)
