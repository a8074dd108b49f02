"""Checkpoints of the papers' releases → models of inrvid.

A snapshot is read as data (`snapshots`), described by its release's layout (`official`), and written as a folder that
`from_pretrained` opens: the moving average of the generator, and beside it, where the snapshot has them,
`discriminator/` and `generator/` (as the optimizer left it). Nothing is written before all of them are built.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InrvidError, ModelError
from ..generators.base import VideoGenerator
from ..weights import WeightsError
from .files import CONFIG, DISCRIMINATOR, GENERATOR, WEIGHTS, Network, read_config, save_network
from .official.describing import Choices, Described
from .official.layout import Layout
from .official.loading import network_of
from .official.opening import Opened, opened
from .snapshots.networks import steps_of

OURS = {CONFIG, WEIGHTS, "README.md", DISCRIMINATOR, GENERATOR}
"""What a model's folder may hold."""


@dataclass(frozen=True)
class Converted:
    """What was found in a snapshot, and what became of it."""

    layout: str
    """Title of the release."""
    network: str
    """Which of its generators is the model: G_ema, or G where there is no moving average."""
    generator: str
    """What it is in inrvid: the generator's type, and the motion's."""
    resolution: int
    classes: int
    parameters: dict[str, int]
    """Number of them, by folder written."""
    assumed: dict[str, Any]
    """Published values, used for what the file does not say."""
    accepted: list[str]
    """Settings that were ignored, as the user asked."""
    left_out: list[str] = field(default_factory=list)
    """What else is in the file."""


@dataclass(frozen=True)
class _Made:
    """A network to be written."""

    place: str
    network: Network
    said: Described


def convert(snapshot: Path, out: Path, choices: Choices) -> Converted:
    """Write what a snapshot holds as a model to the folder `out`, which is new, empty, or a model to be replaced.

    Raises:
        ModelError: not a snapshot of a release, or one with something that no component expresses.
        InrvidError: `out` holds something else.
        OSError: a file cannot be read, or written.
    """
    check_free(out)
    try:
        file = opened(snapshot)
        made = list(_networks(file, choices))
    except WeightsError as error:
        raise ModelError(f"{snapshot}: {error}") from None
    _check_kept(out, made)
    metadata = {"source": _source(snapshot, file)}
    converted = _converted(file, made)
    del file  # it is as large as all that is made of it
    for one in made:
        assumed = {"assumed": one.said.assumed, "accepted": list(one.said.accepted)}
        save_network(
            one.network, out / one.place, {**metadata, **{key: value for key, value in assumed.items() if value}}
        )
    return converted


def check_free(out: Path) -> None:
    """Raises InrvidError if `out` is a file, or a folder that holds anything but a model."""
    if not out.exists():
        return
    names = {path.name for path in out.iterdir()} if out.is_dir() else {out.name}
    try:
        if out.is_dir() and names <= OURS and (CONFIG not in names or read_config(out)):
            return
    except ModelError as error:
        raise InrvidError(f"{error}\n  give a new folder: nothing is overwritten but models") from None
    others = ", ".join(sorted(names - OURS)[:3]) if out.is_dir() else "a file"
    raise InrvidError(f"{out}: holds something that is no model ({others}): give a new or an empty folder")


def _check_kept(out: Path, made: list[_Made]) -> None:
    """Raises InrvidError if a network of the model that is replaced would stay beside the new one."""
    for place in {DISCRIMINATOR, GENERATOR} - {one.place for one in made}:
        if (out / place).exists():
            raise InrvidError(f"{out / place}: of another model, and the snapshot has none to replace it: remove it")


def _networks(file: Opened, choices: Choices) -> Iterator[_Made]:
    """All networks of the snapshot; the model itself last, so that a folder is a model only once it is complete."""
    networks, layout = file.snapshot.networks, file.layout
    _check_given(layout, choices)
    parts = {
        DISCRIMINATOR: ("discriminators", networks.get("D"), layout.discriminator),
        GENERATOR: ("generators", networks.get("G") if "G_ema" in networks else None, layout.generator),
        "": ("generators", file.best, layout.generator),
    }
    for place, (kind, stored, part) in parts.items():
        if stored is not None:
            yield _Made(place, *network_of(kind, stored, part, choices, file.stated))


def _check_given(layout: Layout, choices: Choices) -> None:
    keys = sorted({*layout.generator.assumed} | {*layout.discriminator.assumed})
    for key in choices.given:
        if key not in keys:
            raise WeightsError(f"--set {key}: what may be missing in a file of {layout.title} is {', '.join(keys)}")


def _source(path: Path, file: Opened) -> dict[str, Any]:
    steps = steps_of(path.name)
    return {
        "file": path.name,
        "sha256": file.sha256,
        "layout": file.layout.name,
        "network": file.best.name,
        **({"thousand_pictures": steps} if steps is not None else {}),
        **({"stored": facts} if (facts := _named_alone(file.snapshot.facts)) else {}),
    }


def _named_alone(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts' numbers and names; of a path, only its last part."""
    kept: dict[str, Any] = {}
    for key, value in list(facts.items())[:50]:
        if isinstance(value, Mapping):
            kept[key] = _named_alone(value)
        elif isinstance(value, str):
            kept[key] = value.replace("\\", "/").rstrip("/").rpartition("/")[2][:200]
        elif value is not None and math.isfinite(value):
            kept[key] = value
    return kept


def _converted(file: Opened, made: Iterable[_Made]) -> Converted:
    made = list(made)
    generator = made[-1].network
    assert isinstance(generator, VideoGenerator)
    config = generator.config
    return Converted(
        layout=file.layout.title,
        network=file.best.name,
        generator=f"{config['type']} with {config['motion']['type']} motion",
        resolution=generator.resolution,
        classes=generator.label_dim,
        parameters={one.place: sum(p.numel() for p in one.network.parameters()) for one in reversed(made)},
        assumed={key: value for one in made for key, value in one.said.assumed.items()},
        accepted=sorted({path for one in made for path in one.said.accepted}),
        left_out=list(file.snapshot.left_out),
    )


def as_json(converted: Converted, out: Path) -> str:
    """For programs: what was found, and the folders written."""
    written = {place or ".": {"folder": str(out / place), "parameters": n} for place, n in converted.parameters.items()}
    found = {key: value for key, value in asdict(converted).items() if key != "parameters"}
    return json.dumps({**found, "written": written}, indent=2)
