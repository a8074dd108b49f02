"""The command line: see the package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inrvid.errors import InrvidError

from .page import write_pages
from .plan import load_plan
from .run import compare


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trainings", description="Systems trained alike.")
    parser.add_argument("set", metavar="SET", help="successors, or a file like it")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the trainings and the page")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="these systems")
    parser.add_argument("--page", action="store_true", help="train nothing: write the page of what is there")
    options = parser.parse_args()
    failed: list[str] = []
    try:
        plan = load_plan(options.set)
        if unknown := set(options.only) - {system.name for system in plan.systems}:
            raise InrvidError(f"--only {', '.join(sorted(unknown))}: no such system in {options.set}")
        for system in plan.systems if not options.page else ():
            if options.only and system.name not in options.only:
                continue
            try:
                compare(plan, system, options.out)
            except InrvidError as error:
                failed.append(str(error))
        print(*write_pages(plan, options.out), sep="\n")
    except InrvidError as error:
        failed.append(str(error))
    for line in failed:
        print(f"error: {line}", file=sys.stderr)
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
