"""Which cases to measure, and for how long: the command line's options, with what they leave open filled in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch

from inrvid.errors import InrvidError, did_you_mean
from inrvid.recipe.schema import load_recipe

from .harness import Budget, DeviceStopwatch, Stopwatch, WallStopwatch
from .precision import DTYPES, supported
from .results import GROUPS

PUBLISHED = ("digan_ucf", "stylegan_v_ffs")
LARGE = ("stylegan_v_mead_1024",)
QUICK = ("quickstart",)

TOO_LARGE_TO_TRAIN_ON_A_CPU = 512
"""Side in pixels above which a step takes minutes and tens of GB."""


@dataclasses.dataclass(frozen=True)
class Options:
    """As typed; empty: left open."""

    groups: Sequence[str] = ()
    recipes: Sequence[str] = ()
    precisions: Sequence[str] = ()
    quick: bool = False
    full: bool = False
    cpu: bool = False
    rounds: int | None = None
    batch: int | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    groups: tuple[str, ...]
    recipes: tuple[str, ...]
    precisions: tuple[str, ...]
    training_precisions: tuple[str, ...]
    device: torch.device
    budget: Budget
    quick: bool
    full: bool
    batches: tuple[int, ...]
    """Clips of a training step."""
    compiled: bool = False
    """Whether kernels are measured beside what torch.compile makes of their definitions."""

    @property
    def stopwatch(self) -> Stopwatch:
        return WallStopwatch(self.device)

    @property
    def kernel_stopwatch(self) -> Stopwatch:
        return DeviceStopwatch() if self.device.type == "cuda" else self.stopwatch

    @property
    def videos(self) -> tuple[tuple[int, int], ...]:
        """(frames, videos) to generate."""
        if self.device.type == "cuda":
            return (16, 1), (16, 4), (32, 1), (64, 1)
        return ((16, 1),) if self.quick else ((16, 1), (16, 4))

    def trains(self, resolution: int) -> bool:
        return self.device.type == "cuda" or resolution <= TOO_LARGE_TO_TRAIN_ON_A_CPU


def planned(options: Options) -> Plan:
    """Raises InrvidError: an option names what there is not."""
    if options.quick and options.full:
        raise InrvidError("--quick and --full: give one of them")
    device = torch.device("cuda" if torch.cuda.is_available() and not options.cpu else "cpu")
    precisions = _precisions(options, device)
    # Half precision halves what has been measured already: on a CPU, where it takes minutes, it must be asked for.
    brief = device.type == "cpu" and not (options.full or options.precisions)
    return Plan(
        groups=_groups(options.groups),
        recipes=_recipes(options, device),
        precisions=precisions,
        training_precisions=precisions[:1] if brief else precisions,
        device=device,
        budget=_budget(options, device),
        quick=options.quick,
        full=options.full,
        batches=(options.batch,) if options.batch else (4, 16) if device.type == "cuda" and not options.quick else (4,),
    )


def _groups(wanted: Sequence[str]) -> tuple[str, ...]:
    for name in wanted:
        if name not in (*GROUPS, "all"):
            choice = f"expected {', '.join(GROUPS)} or all"
            raise InrvidError(f"no benchmarks named '{name}': {choice}.{did_you_mean(name, (*GROUPS, 'all'))}")
    return GROUPS if not wanted or "all" in wanted else tuple(name for name in GROUPS if name in wanted)


def _precisions(options: Options, device: torch.device) -> tuple[str, ...]:
    able = supported(device)
    for name in options.precisions:
        if name not in DTYPES:
            raise InrvidError(f"--precision {name}: expected one of {', '.join(DTYPES)}")
        if name not in able:
            raise InrvidError(f"--precision {name}: this device ({device.type}) computes in {', '.join(able)}")
    wanted = options.precisions or (able[:1] if options.quick else able)
    return tuple(name for name in able if name in wanted)


def _recipes(options: Options, device: torch.device) -> tuple[str, ...]:
    for name in options.recipes:
        load_recipe(name)
    if options.recipes:
        return tuple(options.recipes)
    if options.quick:
        return QUICK
    return PUBLISHED + (LARGE if device.type == "cuda" or options.full else ())


def _budget(options: Options, device: torch.device) -> Budget:
    if options.quick:
        return Budget(seconds=0.3, rounds=options.rounds)
    seconds = 1.0 if device.type == "cuda" else 2.0
    if options.full:
        return Budget(seconds=3 * seconds, least=3, rounds=options.rounds)
    return Budget(seconds=seconds, rounds=options.rounds)
