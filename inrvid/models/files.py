"""A network as files: config.json (plain data) and model.safetensors.

A published model is a folder: at its top the moving average of a generator and, if they are kept, `discriminator/` and
`generator/` (as the optimizer left it), each a network with the same two files.

Nothing is unpickled, no code is loaded, and nothing that a file names is imported or installed: config.json
records which package gave each component, and a missing one is reported with the command that installs it. It records
the sha256 of the weights too, which is compared before they are parsed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import torch
from pydantic import Field, RootModel
from torch import Tensor

from .. import __version__
from ..config import PartConfig
from ..discriminators.base import Discriminator
from ..documents import Document, DocumentError, parse, read
from ..errors import ConfigError, InrvidError, ModelError
from ..files import sha256, write_bytes, write_text
from ..generators.base import VideoGenerator
from ..precision import in_precision
from ..registry import REGISTRIES, parts_in, registry
from ..weights import WeightsError, check_header, load_into, read_metadata, weights_file
from .build import build_discriminator, build_generator, shapes

CONFIG, WEIGHTS = "config.json", "model.safetensors"
DISCRIMINATOR, GENERATOR = "discriminator", "generator"
"""Subfolders of a model."""

FORMAT = 1
"""Format of config.json. It is increased when an older version could not read, or would misread, what is written."""

MIGRATIONS: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
    lambda config: config,  # format 0, from before formats had numbers: it has no sha256
]
"""Entry n turns a config.json of format n into one of n + 1."""

Network: TypeAlias = VideoGenerator | Discriminator
BUILD: dict[str, Callable[..., Network]] = {"generators": build_generator, "discriminators": build_discriminator}


class Provider(Document):
    """The package that a component comes from, and its version."""

    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.+!_-]{0,100}$")]


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelConfig(Document):
    """config.json. What else is in it (recipe, clips, …) is for people."""

    generator: dict[str, Any] | None = None
    discriminator: dict[str, Any] | None = None
    components: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")], Provider] = Field({})
    sha256: dict[str, list[Digest]] = Field({}, description="of the other file; two while one is being replaced")
    inrvid_version: str = ""
    class_names: tuple[Annotated[str, Field(max_length=1000)], ...] = Field(
        (), description="of a conditional generator's classes, by number; empty where they are not known"
    )

    def network(self, kind: str) -> dict[str, Any] | None:
        """The configuration of a network of this kind, if this is one."""
        return self.generator if kind == "generators" else self.discriminator


class _Raw(RootModel[dict[str, Any]]):
    """config.json of any version."""


def save_network(network: Network, directory: Path, metadata: Mapping[str, Any], *, dtype: str | None = None) -> None:
    """Write a network's two files, each whole or not at all; the weights first.

    Raises:
        InrvidError: a weight is out of the range of `dtype` (float16, bfloat16), or there is no such type.
        OSError: they cannot be written.
    """
    about: dict[str, Any] = {
        "inrvid_version": __version__,
        network.kind.removesuffix("s"): network.config,
        "components": dict(_providers(network.kind, network._config)),
    }
    if names := getattr(network, "class_names", ()):
        metadata = {"class_names": list(names), **metadata}
    own = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in about.items()}
    weights = weights_file(_tensors(network, dtype), {"format": "pt", "library": "inrvid", **own})
    digest = hashlib.sha256(weights).hexdigest()

    def write_config(digests: list[str]) -> None:
        config = {**metadata, "format": FORMAT, **about, "sha256": {WEIGHTS: digests}}
        write_text(directory / CONFIG, json.dumps(config, indent=2, ensure_ascii=False) + "\n")

    if replaced := _digests(directory):  # a process killed between the two leaves weights that describe themselves
        write_config([*replaced, digest])
    write_bytes(directory / WEIGHTS, weights)
    write_config([digest])


def _described_by(weights: Path, kind: str, described: dict[str, Any]) -> dict[str, Any]:
    """The configuration in the metadata of a file of weights, else `described`. Raises WeightsError."""
    try:
        told = json.loads(read_metadata(weights).get(kind.removesuffix("s"), ""))
    except (ValueError, RecursionError):
        return described
    return told if isinstance(told, dict) else described


def load(directory: Path, kind: str, precision: str | None = None) -> Network:
    """The network of a folder, in evaluation mode, on the CPU, to run in `precision` or the one it was trained in.

    Raises:
        ModelError: not a model, weights that do not fit, or a component whose package is missing.
    """
    config = read_config(directory)
    described = config.network(kind)
    if described is None:
        raise ModelError(f"{directory}: not a model of inrvid: its {CONFIG} has no {kind.removesuffix('s')}")
    _check_components(config.components, directory)
    try:
        _check_digest(directory / WEIGHTS, config)
        if len(config.sha256.get(WEIGHTS, [])) > 1:  # a model was being replaced: whose weights are these?
            described = _described_by(directory / WEIGHTS, kind, described)
        described = described if precision is None else in_precision(described, precision)
        state = shapes(kind, described)
        if state is not None:  # compared with the file's header before anything is allocated
            check_header(directory / WEIGHTS, state)
        network = BUILD[kind](described)
        load_into(network, directory / WEIGHTS)
    except ConfigError as error:
        raise ModelError(f"{directory / CONFIG}: {error}{_newer(config)}") from None
    except WeightsError as error:
        raise ModelError(f"{directory / WEIGHTS}: {error}{_newer(config)}") from None
    if isinstance(network, VideoGenerator) and len(config.class_names) == network.label_dim:
        network.class_names = config.class_names
    return network.eval()


def read_config(directory: Path) -> ModelConfig:
    """config.json of a model folder. Raises ModelError if it is not one of inrvid's, or of a newer format."""
    try:
        raw = _migrated(read(directory / CONFIG, _Raw).root)
        config = parse(json.dumps(raw), ModelConfig)
        if config.generator is None and config.discriminator is None:
            raise DocumentError("it has neither a generator nor a discriminator")
    except DocumentError as error:
        raise ModelError(f"{directory / CONFIG}: not a model of inrvid: {error}") from None
    except InrvidError as error:
        raise ModelError(f"{directory / CONFIG}: {error}") from None
    return config


def is_model(directory: Path) -> bool:
    """Whether there is something to `load`; not whether loading would succeed."""
    return (directory / CONFIG).is_file()


def _migrated(raw: dict[str, Any]) -> dict[str, Any]:
    number = raw.get("format", 0)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise DocumentError("format: should be a number from 0")
    if number > FORMAT:
        writer = str(raw.get("inrvid_version", ""))[:40]
        wanted = f"'inrvid>={writer}'" if re.fullmatch(r"[0-9][0-9a-z.]*", writer) else "inrvid"
        raise InrvidError(f"its format is {number}, this version reads up to {FORMAT}: pip install -U {wanted}")
    for migrate in MIGRATIONS[number:]:
        raw = migrate(raw)
    return raw


def _tensors(network: Network, dtype: str | None) -> dict[str, Tensor]:
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    if dtype is None:
        return tensors
    kinds = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
    if dtype not in kinds:
        raise InrvidError(f"dtype {dtype}: expected one of {', '.join(kinds)}")
    stored = {k: v.to(kinds[dtype]) if v.is_floating_point() else v for k, v in tensors.items()}
    for name, value in stored.items():
        if bool((value.isfinite() != tensors[name].isfinite()).any()):
            raise InrvidError(f"{name} has values that {dtype} has no number for: save it as float32")
    return stored


def _digests(directory: Path) -> list[str]:
    """Recorded digests of the weights of a model that is there already."""
    try:
        return read_config(directory).sha256.get(WEIGHTS, [])
    except ModelError:
        return []


def _check_digest(path: Path, config: ModelConfig) -> None:
    """Raises WeightsError if config.json does not have the digest of the weights."""
    expected = config.sha256.get(WEIGHTS)
    if not expected:
        return
    try:
        actual = sha256(path)
    except OSError as error:
        raise WeightsError(f"cannot be read: {error.strerror}") from None
    if actual not in expected:
        raise WeightsError(
            f"damaged, or changed since it was saved: sha256 {actual[:12]}…, {CONFIG} says {expected[-1][:12]}… "
            "(if the change is meant, take 'sha256' out of it)"
        )


def _newer(config: ModelConfig) -> str:
    """A remark for the message, if a newer version wrote the model."""
    theirs, ours = (tuple(map(int, re.findall(r"\d{1,6}", v)[:3])) for v in (config.inrvid_version, __version__))
    if theirs <= ours:
        return ""
    return f"\n  it was made by inrvid {config.inrvid_version[:40]}, this is {__version__}: pip install -U inrvid"


def _providers(kind: str, config: PartConfig) -> Iterator[tuple[str, dict[str, str]]]:
    """(`kind.name`, package and version) of a part and the parts in it."""
    for of_kind, part in ((kind, config), *parts_in(config)):
        entry = registry(of_kind).entry(part.type)
        yield f"{of_kind}.{part.type}", {"package": entry.package, "version": entry.version or __version__}


def _check_components(components: Mapping[str, Provider], directory: Path) -> None:
    for name, provider in components.items():
        kind, _, component = name.partition(".")
        if kind not in REGISTRIES or component not in registry(kind).names():
            update = "-U " if provider.package == "inrvid" else ""
            raise ModelError(
                f"{directory}: needs {name}, of {provider.package} {provider.version}: pip install "
                f"{update}{provider.package}"
            )
