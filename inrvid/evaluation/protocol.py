"""Protocols: all choices behind a score, as data.

A protocol is a YAML file: one of the library's (`protocols/`), of a package (`protocol_files`), or your own. What is
changed in it for one evaluation is kept with the score as its *variant*: for two scores to be comparable, protocol and
variant must be the same (`Record.comparable` has the rest).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr

from ..config import MOST, FileName, Natural, PartConfig, Seed, StrictModel, validate
from ..errors import ConfigError, InrvidError, did_you_mean, dotted
from ..files import read_text
from ..packaged_files import PackagedFile
from ..plain_yaml import parse, parse_value
from ..registry import PartOf
from .clips import Order, Start
from .protocol_files import PROTOCOLS
from .record import metric_name

FOR_PEOPLE = ("name", "description")
"""Keys on which no score depends."""
SHORTHAND = re.compile(r"(?P<type>[a-z_]+)(?:(?P<frames>\d+)(?:s(?P<stride>\d+))?(?:t(?P<first>\d+))?)?")
"""fvd16, fvd128s8, fvd16t112, kvd."""
IN_NAMES = ("type", "frames", "stride", "first")
"""Keys of a metric that are part of its name."""


class ClipsConfig(StrictModel):
    """Which clips of a folder of videos."""

    order: Order = Field(
        "shuffled",
        description="shuffled: videos in random order; first: videos by name; shuffled_clips: clips of all videos in "
        "random order",
    )
    start: Start = Field("anywhere", description="of a clip in its video: drawn by the seed, or the first frame")
    one_a_video: bool = Field(
        True, description="one clip per video; false: all consecutive clips of a video, which are not independent"
    )


class Protocol(StrictModel):
    name: FileName = Field(description="name that its scores go by")
    version: Annotated[int, Field(ge=1, le=10**6)] = Field(1, description="increased whenever a score would change")
    description: str = Field("", description="whose protocol it is, in a sentence")
    clips: Annotated[int, Field(ge=2, le=MOST)] = Field(2048, description="number of clips of each side")
    real: ClipsConfig = Field(ClipsConfig(), description="which real clips")
    fake: ClipsConfig = Field(
        ClipsConfig(start="first"), description="which generated clips, if videos are given and not a model"
    )
    runs: Annotated[int, Field(ge=1, le=1000)] = Field(
        1, description="sets of generated clips, the mean of whose scores counts"
    )
    halves: Annotated[int, Field(ge=0, le=10_000)] = Field(
        20, description="random halves of the videos; the spread of their scores is the error; 0: none"
    )
    eight_bits: bool = Field(True, description="round a model's frames to 8 bits a channel, as files have them")
    resize: Literal["center_crop", "squash"] = Field("center_crop", description="of real frames to the model's size")
    interpolation: Literal["bicubic", "bilinear"] = Field(
        "bicubic", description="bicubic: with antialiasing; bilinear: without"
    )
    seed: Seed = Field(0, description="of the choice of clips, and of random halves and subsets")
    first_seed: Natural = Field(1_000_000, description="seed of the first generated video")
    metrics: Annotated[tuple[Annotated[PartConfig, PartOf("metrics")], ...], Field(strict=False, min_length=1)] = Field(
        description="what is measured"
    )
    optional: Annotated[tuple[Annotated[PartConfig, PartOf("metrics")], ...], Field(strict=False)] = Field(
        (), description="what is measured too, if the weights of its detector are available"
    )

    _file: PackagedFile | None = PrivateAttr(None)

    @property
    def package(self) -> tuple[str, str]:
        """Name and version of the package that it came with; empty: none."""
        return (self._file.package, self._file.version) if self._file else ("", "")


def load_protocol(
    source: str, overrides: Iterable[str] = (), metrics: str | None = None
) -> tuple[Protocol, dict[str, Any]]:
    """Load a protocol: (protocol, its variant: what differs from the one that was named).

    Args:
        source: name, or path of a file.
        overrides: `key.path=value`, the value in YAML.
        metrics: 'fvd16,fvd128s8,kvd' in place of the protocol's, including its optional ones. A subset of these is not
            a variant.

    Raises:
        InrvidError: no such protocol, or it is wrong: one line for each problem.
    """
    file = _found(source)
    named = _read(file)
    changed = named.model_dump(mode="json")
    for override in overrides:
        _set(changed, override)
    if metrics is not None:
        known = (*named.metrics, *named.optional)
        changed |= {"metrics": [_of_shorthand(text, known) for text in metrics.split(",") if text], "optional": []}
    protocol = _validated(changed, "--set" if metrics is None else "--metrics")
    protocol._file = file
    return protocol, _variant(named, protocol)


def with_weights(protocol: Protocol, path: Path) -> Protocol:
    """The protocol with a file of weights for the detector of its metrics: not a variant of it, since records name the
    file's sha256.

    Raises:
        InrvidError: the metrics have several detectors, or one that takes no file.
    """
    types = sorted({metric.detector.type for metric in protocol.metrics})  # type: ignore[attr-defined]
    if len(types) > 1:
        raise InrvidError(
            f"--detector {path}: the metrics have several detectors ({', '.join(types)}): choose one's by --metrics"
        )
    changed = protocol.model_dump(mode="json")
    for metric in changed["metrics"]:
        if "weights" not in metric["detector"]:
            raise InrvidError(f"--detector {path}: the detector {types[0]} takes no file of weights")
        metric["detector"]["weights"] = str(path)
    used = _validated(changed, "--detector")
    used._file = protocol._file
    return used


def _found(source: str) -> PackagedFile:
    file = PROTOCOLS.find(source) or PackagedFile(Path(source))
    if not file.path.is_file():
        known = PROTOCOLS.claims()
        raise InrvidError(
            f"no protocol '{source}': neither a file nor one of {', '.join(known)}.{did_you_mean(source, known)}\n"
            "  inrvid plugins list protocols shows what is installed"
        )
    return file


def _read(file: PackagedFile) -> Protocol:
    try:
        data, _ = parse(read_text(file.path), str(file))
    except OSError as error:
        raise InrvidError(f"{file}: {error.strerror or error}") from None
    protocol = _validated(data, str(file))
    if file.package and protocol.name != file.name:  # scores would go by the name of another protocol
        raise InrvidError(f"{file}: name: is '{protocol.name}', the file's is '{file.name}': they should be one")
    return protocol


def _variant(named: Protocol, used: Protocol) -> dict[str, Any]:
    before, after = _flat(named.model_dump(mode="json")), _flat(used.model_dump(mode="json"))
    changed = {key: value for key, value in after.items() if key not in FOR_PEOPLE and before.get(key) != value}
    known = [*before["metrics"], *before["optional"]]
    own = [*changed.pop("metrics", []), *changed.pop("optional", [])]
    if others := [metric for metric in own if metric not in known]:
        changed["metrics"] = others
    return changed


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in data.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return found


def _of_shorthand(text: str, known: Iterable[PartConfig]) -> dict[str, Any]:
    """A metric from its short name: as the protocol has it, or with its defaults."""
    match = SHORTHAND.fullmatch(text.strip())
    if match is None:
        raise InrvidError(
            f"--metrics {text}: expected a metric, perhaps with frames, stride, start: fvd16, fvd16s8t112"
        )
    asked: dict[str, Any] = {"type": match["type"]}
    asked |= {key: int(match[key]) for key in ("frames", "stride", "first") if match[key] is not None}
    own = [part.model_dump(mode="json") for part in known if part.type == match["type"]]
    name = metric_name(*(asked.get(key) for key in IN_NAMES))
    named = [data for data in own if metric_name(*(data.get(key) for key in IN_NAMES)) == name]
    usual = {"stride": 1, "first": 0} if len(asked) > 1 else {}  # fvd16 is not fvd16s8
    return {**(named or own or [{}])[0], **usual, **asked}


def _set(data: dict[str, Any], override: str) -> None:
    key, found, value = override.partition("=")
    if not found:
        raise InrvidError(f"--set {override}: expected key=value")
    *path, last = key.strip().split(".")
    for part in path:
        inner = data.get(part)
        data = inner if isinstance(inner, dict) else {}
    if last not in data:
        raise InrvidError(f"--set {key}: no such key in a protocol.{did_you_mean(last, data)}")
    data[last] = parse_value(value)


def _validated(data: Any, where: str) -> Protocol:
    if not isinstance(data, Mapping):
        raise InrvidError(f"{where}: expected a protocol: a mapping with a name and metrics")
    try:
        return validate(Protocol, data)
    except ConfigError as error:
        inner = [path for path, _ in error.problems]
        told = [f"{where}: {dotted(path)}: {what}" for path, what in error.problems if not _has_below(path, inner)]
        raise InrvidError("\n".join(told)) from None


def _has_below(path: tuple[str | int, ...], others: Iterable[tuple[str | int, ...]]) -> bool:
    """Whether a problem's cause, which lies deeper, is among the others."""
    return any(len(other) > len(path) and other[: len(path)] == path for other in others)
