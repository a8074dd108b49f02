"""The command line: see the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from inrvid.errors import InrvidError

from . import kernels, systems, train, truth
from .record import Record

STAGES: Mapping[str, tuple[Callable[[Record, bool], None], float]] = {
    "truth": (truth.run, 4),
    "kernels": (kernels.run, 4),
    "systems": (systems.run, 8),
}
"""What a stage does, and its minutes."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description="What a GPU has to show.")
    parser.add_argument(
        "stages", nargs="*", metavar="STAGE", help=f"{', '.join(STAGES)}, train; default: all but train"
    )
    parser.add_argument("--out", type=Path, default=Path("gpu"), help="folder of the records")
    parser.add_argument("--minutes", type=float, help="for each stage, instead of its own")
    parser.add_argument("--smoke", action="store_true", help="toy sizes, on a CPU if there is nothing else")
    parser.add_argument(
        "--bunny", type=Path, default=Path("bunny"), help="videos for those models of train that need them"
    )
    parser.add_argument("--only", action="append", default=[], metavar="PART", help="rows whose name holds this")
    options = parser.parse_args()
    unknown = set(options.stages) - {*STAGES, "train"}
    if unknown:
        parser.error(f"no stage {', '.join(sorted(unknown))}: there are {', '.join(STAGES)} and train")
    if not torch.cuda.is_available() and not options.smoke:
        parser.error("no GPU is visible to PyTorch: --smoke runs toy sizes on the CPU")
    if options.minutes is not None and not options.minutes > 0:
        parser.error(f"--minutes {options.minutes:g}: more than 0 are needed")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        failed = _stages(options)
    except (InrvidError, FileExistsError, NotADirectoryError, PermissionError) as error:
        parser.error(str(error))
    for line in failed:
        print(f"failed: {line}", file=sys.stderr)
    return bool(failed)


def _stages(options: argparse.Namespace) -> list[str]:
    """What has failed."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    failed: list[str] = []
    for name in options.stages or STAGES:
        if name == "train":
            failed += train.run(options.out, options.minutes or 10, options.smoke, options.bunny)
            continue
        stage, minutes = STAGES[name]
        record = Record(name, options.out, device, options.minutes or minutes)
        record.only = options.only
        stage(record, options.smoke)
        failed += [f"{name}: {row}: {record.rows[row]['error']}" for row in record.failed]
        if options.only and not any(map(record.wants, record.rows)):
            failed.append(f"{name}: no row's name holds {' or '.join(options.only)}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
