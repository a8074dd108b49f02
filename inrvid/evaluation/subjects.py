"""What is compared with what: a model or a folder of videos, and the data set of real videos."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import Field

from ..data.base import VideoDataset
from ..data.open import detect, open_dataset
from ..documents import Document, DocumentError, read
from ..errors import ConfigError, InrvidError, dotted
from ..generators.base import VideoGenerator
from ..models.files import CONFIG
from ..models.pretrained import GENERATORS, find, load_generator
from ..precision import set_tf32
from .clips import DatasetClips, GeneratorClips, Window, classes_of
from .evaluate import Subject
from .metrics.base import Metric
from .protocol import ClipsConfig, Protocol
from .record import Side, same_rate

HOW_READ = {"type", "fps", "stride", "resize", "interpolation"}
"""Keys common to all data sets that a record shows, besides all keys that are a data set's own."""
OF_PROTOCOL = {"resize", "interpolation", "resolution", "clip_length"}
"""Keys that are decided by the protocol and by what is scored."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """What is to be scored, as far as the real videos depend on it.

    Attributes:
        name: for people, and in records.
        resolution: (height, width) of the frames that are scored, pixels.
        fps: frame rate of these.
        clip_length: frames of a clip if a metric does not say.
        recipe: that of the model's training, as plain data; empty: none, or no model.
    """

    name: str
    resolution: tuple[int, int]
    fps: float
    clip_length: int
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GivenModel(Given):
    """A generator; each of a protocol's runs has seeds of its own."""

    generator: VideoGenerator

    @classmethod
    def of(cls, name: str, generator: VideoGenerator, recipe: Mapping[str, Any]) -> GivenModel:
        side = generator.resolution
        return cls(
            name=name, resolution=(side, side), fps=generator.fps, clip_length=generator.clip_length, recipe=recipe,
            generator=generator,
        )  # fmt: skip

    def subjects(self, protocol: Protocol, real: Subject) -> list[Subject]:
        """The clips of all of the protocol's runs; `real` says how frequent each class is."""
        clips = real.source
        classes = classes_of(clips.dataset, self.generator) if isinstance(clips, DatasetClips) else []
        return [self._subject(protocol, run, classes) for run in range(protocol.runs)]

    def _subject(self, protocol: Protocol, run: int, classes: Sequence[int]) -> Subject:
        first = protocol.first_seed + run * protocol.clips
        source = GeneratorClips(
            self.generator, name=self.name, first_seed=first, quantise=protocol.eight_bits, classes=classes
        )
        drawn = {"classes": "as in the data" if classes else "evenly"} if self.generator.label_dim else {}
        side = Side(name=self.name, kind="model", fingerprint=source.fingerprint, fps=self.fps, settings=drawn)
        return Subject(source, side)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GivenVideos(Given):
    """Videos that are files."""

    dataset: VideoDataset

    def subjects(self, protocol: Protocol, real: Subject) -> list[Subject]:
        """Their clips. Raises InrvidError for several runs: of the same clips, so that their spread is no error."""
        if protocol.runs > 1:
            raise InrvidError(
                f"{self.name}: {protocol.name} asks for {protocol.runs} sets of generated clips, which a model can "
                "make and a folder of videos cannot: --set runs=1 --set halves=20"
            )
        clips = chosen(self.dataset, self.name, protocol.fake, protocol.seed)
        settings = shown(self.dataset)
        side = Side(name=self.name, kind="videos", fingerprint=clips.fingerprint, fps=self.fps, settings=settings)
        return [Subject(clips, side)]


def open_given(
    name: str, protocol: Protocol, *, fps: float | None = None, resolution: int | None = None, device: str = "cpu"
) -> GivenModel | GivenVideos:
    """Open what is to be scored: a model (folder, run, or Hub repository), or videos.

    Args:
        protocol: says how videos are resized.
        fps: rate to read videos at.
        resolution: side to resize videos to if their sizes differ.

    Raises:
        InrvidError: neither is there; videos of several sizes or frame rates; a resolution other than a
            model's own.
    """
    path = Path(name).expanduser()
    if path.exists() and not is_model(path):
        return _open_videos_given(name, protocol, fps, resolution)
    folder = find(name, GENERATORS)
    generator = load_generator(folder).to(device).requires_grad_(False)
    set_tf32("fp32")  # as in `inrvid generate`, whose frames these are
    if resolution not in (None, generator.resolution):
        raise InrvidError(
            f"--resolution {resolution}: {name} is a model, scored at its own {generator.resolution}×"
            f"{generator.resolution}: leave it out"
        )
    return GivenModel.of(name, generator, recipe_of(folder))


def _open_videos_given(name: str, protocol: Protocol, fps: float | None, resolution: int | None) -> GivenVideos:
    read = {"fps": fps, "resize": protocol.resize, "interpolation": protocol.interpolation}
    files = open_videos(name, {**read, "resolution": 16})  # at any size: their own is in their records
    size = (resolution, resolution) if resolution else one_size(files, name)
    dataset = open_videos(name, {**read, "resolution": list(size)})
    return GivenVideos(name=name, resolution=size, fps=one_rate(dataset, name), clip_length=16, dataset=dataset)


def real_subject(
    against: str | None,
    given: Given,
    protocol: Protocol,
    changes: Mapping[str, Any] | None = None,
    *,
    any_rate: bool = False,
) -> Subject:
    """The real side: a path, the name of a data set that needs none, or what the model was trained to look like.

    Raises:
        InrvidError: no such data; videos of several frame rates, or of another rate than what is scored.
    """
    if own := sorted(set(changes or {}) & OF_PROTOCOL):
        raise InrvidError(f"--data {own[0]}: the protocol decides this: give --set {own[0]}=…, or --resolution N")
    config = {**_data_config(against, given), **_read_as(protocol, given), **(changes or {})}
    config["clip_length"] = _longest(protocol, given) if config.get("cut") == "clips" else 2
    dataset = _at_own_rate(opened(config, against or "the model's data"))
    name = against or str(dataset.config.path or dataset.config.type)
    rate = one_rate(dataset, name)
    if not any_rate:
        _check_rate(rate, given)
    clips = chosen(dataset, name, protocol.real, protocol.seed)
    side = Side(name=name, kind="data", fingerprint=clips.fingerprint, fps=rate, settings=shown(dataset))
    return Subject(clips, side)


def _data_config(against: str | None, given: Given) -> dict[str, Any]:
    """Where the real videos are, the rate to read them at, whether to cut them: as in training, if there was one."""
    held_out = given.recipe.get("eval")
    sections = (given.recipe.get("data"), held_out.get("data") if isinstance(held_out, Mapping) else None)
    trained = {key: value for part in sections if isinstance(part, Mapping) for key, value in part.items()}
    if against is None:
        if not trained:
            raise InrvidError(f"{given.name}: give real videos to compare it with: --against PATH")
        return trained
    path = Path(against).expanduser()
    if not path.exists() and ("/" in against or against.startswith((".", "~"))):
        raise InrvidError(f"--against {against}: there is no such file or folder")
    where = {"type": detect(path), "path": str(path)} if path.exists() else {"type": against}
    keys = ("fps", "stride", "cut") if path.exists() else ("fps", "stride")
    return where | {key: trained[key] for key in keys if trained.get(key) not in (None, 1, "whole")}


def _read_as(protocol: Protocol, given: Given) -> dict[str, Any]:
    """How frames are resized to the size of those that are scored."""
    return {
        "resize": protocol.resize, "interpolation": protocol.interpolation, "resolution": list(given.resolution)
    }  # fmt: skip


def _at_own_rate(dataset: VideoDataset) -> VideoDataset:
    """The same videos without `fps`, if that is the rate of each anyway: scores of them are comparable with those of
    whoever did not write it."""
    wanted = dataset.config.fps
    if wanted is None or any(record.fps != wanted for record in dataset.records):
        return dataset
    own = open_dataset(dataset.config.model_copy(update={"fps": None}))
    videos = range(len(dataset))
    if own.uneven or own.records != dataset.records or any(own.length(i) != dataset.length(i) for i in videos):
        return dataset
    return own


def _check_rate(rate: float, given: Given) -> None:
    """Raise InrvidError if the real videos have another frame rate than what is scored."""
    if not same_rate(rate, given.fps):
        raise InrvidError(
            f"{given.name} has {given.fps:g} frames a second, the real videos {rate:g}: they would differ by their "
            f"speed alone. --data fps={given.fps:g} resamples the real ones, --any-rate takes them as they are"
        )


def _longest(protocol: Protocol, given: Given) -> int:
    """Frames that the protocol's widest window reaches over: the length that videos are cut into, if they are cut."""
    metrics = [cast(Metric.Config, metric) for metric in (*protocol.metrics, *protocol.optional)]
    windows = [Window(metric.frames or given.clip_length, metric.stride, metric.first) for metric in metrics]
    return max(window.begun(protocol.real.start).end for window in windows)


def chosen(dataset: VideoDataset, name: str, config: ClipsConfig, seed: int) -> DatasetClips:
    return DatasetClips(
        dataset, name=name, order=config.order, start=config.start, one_a_video=config.one_a_video, seed=seed
    )


def open_videos(name: str, changes: Mapping[str, Any]) -> VideoDataset:
    return opened({"type": detect(name), "path": name, "clip_length": 2, **changes}, name)


def opened(config: Mapping[str, Any], name: str) -> VideoDataset:
    try:
        return open_dataset({key: value for key, value in config.items() if value is not None})
    except ConfigError as error:
        raise InrvidError("\n".join(f"{name}: {dotted(path)}: {what}" for path, what in error.problems)) from None


def one_size(dataset: VideoDataset, name: str) -> tuple[int, int]:
    """Height and width of all the videos. Raises InrvidError if they differ."""
    sizes = Counter((record.height, record.width) for record in dataset.records)
    if len(sizes) > 1:
        told = ", ".join(f"{w}×{h} ({count})" for (h, w), count in sizes.most_common(4))
        raise InrvidError(f"{name}: videos of several sizes: {told}: --resolution N brings them to one")
    return next(iter(sizes))


def one_rate(dataset: VideoDataset, name: str) -> float:
    """Frames a second of all the videos. Raises InrvidError if they differ and nothing brings them to one."""
    rates = Counter(round(record.fps, 2) for record in dataset.records)
    if len(rates) > 1 and dataset.config.fps is None:
        told = ", ".join(f"{rate:g} fps ({count})" for rate, count in rates.most_common(4))
        raise InrvidError(f"{name}: mixed frame rates: {told}: --fps N brings them to one")
    return dataset.fps


def shown(dataset: VideoDataset) -> dict[str, Any]:
    """The part of the configuration that decides which frames are read."""
    others = {*VideoDataset.Config.model_fields} - HOW_READ
    return {
        key: value for key, value in dataset.config.model_dump(mode="json", exclude=others).items() if value is not None
    }


def is_model(path: Path) -> bool:
    return (path / CONFIG).is_file() or (path / "model" / CONFIG).is_file()


class _Saved(Document):
    recipe: dict[str, Any] = Field({})


def recipe_of(folder: Path) -> dict[str, Any]:
    """The recipe that a folder's model was trained with; empty if the folder does not say."""
    try:
        return read(folder / CONFIG, _Saved).recipe
    except DocumentError:
        return {}


def default_device(cpu: bool) -> torch.device:
    """One GPU for each process of this machine, as far as there are any."""
    if cpu or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
