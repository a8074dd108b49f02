"""A whole run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from inrvid.kernels.pages import keep_pages

from .ceilings import ceiling_cases
from .kernels import kernel_cases
from .loading import data_cases, evaluation_cases
from .plan import Options, Plan, planned
from .results import GROUPS, Case, Result, collected
from .systems import generation_cases, training_cases

MEASURES: Mapping[str, Callable[[Plan], Iterator[Case]]] = {
    "kernels": kernel_cases,
    "generation": generation_cases,
    "training": training_cases,
    "evaluation": evaluation_cases,
    "data": data_cases,
}
assert tuple(MEASURES) == GROUPS


def bench(options: Options) -> Iterator[Result]:
    """Measure what the options ask for; yields the result so far after each case.

    Raises:
        InrvidError: an option names what there is not.
    """
    plan = planned(options)
    if plan.device.type == "cpu":
        keep_pages()  # as training and generating do
    result = collected([], plan.device, _asked(options))
    for group in (ceiling_cases, *(MEASURES[name] for name in plan.groups)):
        for case in group(plan):
            result = result.model_copy(update={"cases": [*result.cases, case]})
            yield result


def _asked(options: Options) -> dict[str, str | int | bool | list[str]]:
    asked = dataclasses.asdict(options)
    return {name: list(x) if isinstance(x, tuple | list) else x for name, x in asked.items() if x}
