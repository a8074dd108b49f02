"""What is compared: a file of systems, and what is equal for all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from typing_extensions import Self

from inrvid import plain_yaml
from inrvid.config import Count, FileName, Natural, NonNegative, StrictModel, validate
from inrvid.errors import ConfigError, InrvidError, dotted
from inrvid.files import read_text
from inrvid.packages import PackageText

FOLDER = Path(__file__).parent
LARGEST = 2**20

Texts = Annotated[tuple[str, ...], Field(strict=False)]
Packages = Annotated[tuple[PackageText, ...], Field(strict=False)]
Naturals = Annotated[tuple[Natural, ...], Field(strict=False, min_length=1)]
DATA = "data"
"""The name of the data's own score, beside the systems'."""
StopName = Literal["clips", "minutes"]
STOPS: tuple[StopName, ...] = ("clips", "minutes")


class System(StrictModel):
    name: FileName
    recipe: str = Field(description="a path, or the name of an installed one")
    set: Texts = Field((), description="as behind --set")
    packages: Packages = Field((), description="beside inrvid, that the recipe and what is set come with")


class Choice(StrictModel):
    set: Texts = Field((), description="as behind --set")
    packages: Packages = Field((), description="beside inrvid, that what is set comes with")


def _choice(data: Any) -> Any:
    return {"set": data} if isinstance(data, list) else data


class Combinations(StrictModel):
    """A system for each combination of an axis' choices, named by them: `inr_gan-conv1d-dual`."""

    recipe: str = Field(description="that all of them begin with")
    axes: dict[str, dict[FileName, Annotated[Choice, BeforeValidator(_choice)]]] = Field(
        description="axis → choice → what it sets: a list as behind --set, or with the packages that it needs"
    )

    def systems(self) -> Iterator[System]:
        for choices in itertools.product(*(axis.items() for axis in self.axes.values())):
            keys = tuple(key for _, choice in choices for key in choice.set)
            packages = tuple(dict.fromkeys(package for _, choice in choices for package in choice.packages))
            yield System(name="-".join(name for name, _ in choices), recipe=self.recipe, set=keys, packages=packages)


class Plan(StrictModel):
    title: str
    about: str = Field("", description="what a reader should know")
    kclips: Annotated[float, Field(gt=0)] = Field(description="equal clips, thousands")
    minutes: NonNegative = Field(description="equal minutes, of one core (or of the device's clock); 0: no such stop")
    against: str = Field("procedural", description="the held-out clips that are scored against, as behind --against")
    data: dict[str, Any] = Field({}, description="keys of their `data`, as behind --data")
    own: dict[str, Any] = Field({}, description="what to change in the recipe's `data` for the data's own score")
    frames: Count = Field(16, description="of the clips of the data's own score")
    clips: Count = Field(256, description="clips that are scored, real and generated")
    protocol: str = "inrvid"
    choices: Texts = Field((), description="of the protocol, as behind --set")
    metrics: dict[StopName, list[dict[str, Any]]] = Field(
        {}, description="of a stop, as a protocol's `metrics`; default: those that the protocol has"
    )
    columns: Texts = Field(
        ("fvd16", "kvd16", "precision_recall16/precision", "precision_recall16/recall"), description="scores shown"
    )
    times: Naturals = Field(tuple(range(16)), description="frames of a strip")
    seeds: Naturals = Field((0,), description="each system is trained with each of them")
    set: Texts = Field((), description="for all, as behind --set")
    combinations: Combinations | None = None
    systems: Annotated[tuple[System, ...], Field(strict=False)] = Field((), description="beside the combinations")

    @model_validator(mode="after")
    def _there_are_some(self) -> Self:
        names = [system.name for system in self.all_systems]
        if not names:
            raise ValueError("neither systems nor combinations: there is nothing to train")
        if DATA in names:
            raise ValueError(f"a system cannot be called {DATA}: so is what the data themselves have")
        if double := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"several systems are called {', '.join(sorted(double))}")
        return self

    @property
    def all_systems(self) -> tuple[System, ...]:
        return (*(self.combinations.systems() if self.combinations else ()), *self.systems)

    def folder(self, system: System, seed: int) -> str:
        """Of a training, below the comparison's."""
        return system.name if len(self.seeds) == 1 else f"{system.name}.{seed}"


def load_plan(source: str) -> Plan:
    """Raises InrvidError: no such set, or not one."""
    path = FOLDER / f"{source}.yaml" if (FOLDER / f"{source}.yaml").exists() else Path(source)
    try:
        data, _ = plain_yaml.parse(read_text(path, LARGEST), str(path))
    except OSError as error:
        sets = ", ".join(sorted(file.stem for file in FOLDER.glob("*.yaml")))
        raise InrvidError(f"{source}: no such set ({error.strerror}): a file, or one of {sets}") from None
    try:
        return validate(Plan, data)
    except ConfigError as error:
        raise InrvidError("\n".join(f"{path}: {dotted(key)}: {what}" for key, what in error.problems)) from None
