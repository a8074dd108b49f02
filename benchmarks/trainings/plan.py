"""What is compared: a file of systems, and what is equal for all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from inrvid import plain_yaml
from inrvid.config import Count, FileName, NotNegative, StrictModel, validate
from inrvid.errors import ConfigError, InrvidError, dotted
from inrvid.files import read_text

FOLDER = Path(__file__).parent
LARGEST = 2**20


class System(StrictModel):
    name: FileName
    recipe: str = Field(description="a path, or the name of an installed one")
    set: Annotated[tuple[str, ...], Field(strict=False)] = Field((), description="as behind --set")
    package: str = Field("inrvid", description="that the recipe comes with")


class Plan(StrictModel):
    title: str
    about: str = Field("", description="what a reader should know")
    kclips: Annotated[float, Field(gt=0)] = Field(description="equal clips, thousands")
    minutes: NotNegative = Field(description="equal minutes of one core")
    data: dict[str, Any] = Field({}, description="keys of `data` of the held-out clips that are scored against")
    clips: Count = Field(256, description="clips that are scored, real and generated")
    protocol: str = "inrvid"
    set: Annotated[tuple[str, ...], Field(strict=False)] = Field((), description="for all, as behind --set")
    systems: Annotated[tuple[System, ...], Field(strict=False, min_length=1)]


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
