"""The command line: see the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from inrvid.errors import InrvidError
from inrvid.packages import missing

from .floor import Unsuitable, score_data
from .page import write_pages
from .plan import DATA, Plan, load_plan
from .run import Training, compare


def main(of: str | None = None, prog: str = "python -m benchmarks.trainings") -> int:
    """The command line; `of`: the set, where it is not the user's to say."""
    parser = argparse.ArgumentParser(prog=prog, description="Systems trained alike.")
    if of is None:
        parser.add_argument("set", metavar="SET", help="successors, crosses, or a file like them")
    parser.set_defaults(set=of)
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the trainings and the page")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="these; data: the data's own score")
    parser.add_argument("--seed", action="append", type=int, default=[], metavar="N", help="with these of its seeds")
    parser.add_argument("--gpu", action="store_true", help="train and score on a GPU: minutes are the clock's")
    parser.add_argument("--minutes", type=_minutes, help="of that stop, instead of the set's own; 0 leaves it out")
    at_once = "trainings at once: rates, and minutes, are then of each beside the others"
    parser.add_argument("--jobs", type=_jobs, default=1, metavar="N", help=at_once)
    parser.add_argument("--page", action="store_true", help="train nothing: write the page of all that is there")
    options = parser.parse_args()
    failed: list[str] = []
    try:
        plan = load_plan(options.set)
        if options.minutes is not None:
            plan = plan.model_copy(update={"minutes": options.minutes})
        trainings = list(chosen(plan, options))
        if options.gpu and not options.page and not _has_gpu():
            raise InrvidError("--gpu: no GPU is visible to PyTorch")
        if options.out.exists() and not options.out.is_dir():
            raise InrvidError(f"{options.out}: a file, not a folder")
        if options.page and not options.out.is_dir():
            raise InrvidError(f"{options.out}: no such folder: --page writes of what is there")
        if not options.page and DATA in (options.only or [DATA]):
            failed += _score_data(plan, options)  # first: what is wrong with the data is known in minutes
        with ThreadPoolExecutor(options.jobs) as jobs:
            failed += filter(None, jobs.map(_failure, trainings if not options.page else ()))
        print(*write_pages(plan, options.out), sep="\n")
    except InrvidError as error:
        failed.append(str(error))
    for line in failed:
        print(f"error: {line}", file=sys.stderr)
    return 2 if failed else 0


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _minutes(text: str) -> float:
    if not 0 <= (value := float(text)) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a length: 0 or more")
    return value


def _jobs(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of trainings: 1 or more")
    return value


def _failure(training: Training) -> str:
    """Of the comparison's part; empty where it is done, or left out."""
    if lacking := missing(training.system.packages):
        print(f"left out: {training.folder.name}: needs {', '.join(lacking.values())}", file=sys.stderr)
        return ""
    try:
        compare(training)
    except InrvidError as error:
        return str(error)
    return ""


def _score_data(plan: Plan, options: argparse.Namespace) -> list[str]:
    """What went wrong, if anything. Trainings go on without this score, but not with data that are Unsuitable."""
    try:
        score_data(plan, options.out, gpu=options.gpu)
    except Unsuitable:
        raise
    except InrvidError as error:
        return [str(error)]
    return []


def chosen(plan: Plan, options: argparse.Namespace) -> Iterator[Training]:
    """All of one seed before the next. Raises InrvidError: no such system, or seed."""
    names = {system.name for system in plan.all_systems}
    if unknown := [*sorted(set(options.only) - names - {DATA}), *map(str, sorted(set(options.seed) - set(plan.seeds)))]:
        raise InrvidError(f"{', '.join(unknown)}: no such system, or seed, in {options.set}")
    for seed in plan.seeds:
        for system in plan.all_systems:
            if system.name in (options.only or names) and seed in (options.seed or plan.seeds):
                folder = options.out / plan.folder(system, seed)
                yield Training(plan, system, seed, folder, options.gpu)


if __name__ == "__main__":
    sys.exit(main())
