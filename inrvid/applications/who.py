"""Which videos are asked for: of seeds, or of a file of latents; whose content with whose motion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field, model_validator
from typing_extensions import Self

from ..config import Count, PathText
from ..errors import InrvidError, did_you_mean
from ..generators.base import VideoGenerator
from ..generators.inr import VideoINR
from ..latents import Latents
from .latents_file import read_latents
from .options import Options, at_most_one

SeedNumber = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Who(Options):
    """Videos by number; video i is that of seed + i, of the i-th of some seeds, or the file's."""

    videos: Count | None = Field(None, description="how many; default: one, or all of the file")
    seed: SeedNumber = Field(0, description="of the first video")
    seeds: Annotated[list[SeedNumber], Field(min_length=1, max_length=10_000)] | None = Field(
        None, description="of each video, in place of seed and videos"
    )
    label: int | Annotated[str, Field(max_length=1000)] | None = Field(
        None, description="class of a conditional model, by number or name; default: drawn by the seed"
    )
    truncation: Annotated[float, Field(ge=-100, le=100)] = Field(1.0, description="ψ < 1: less variety, more quality")
    same_content: bool = Field(False, description="all videos have the first one's content, and motions of their own")
    same_motion: bool = Field(False, description="all videos have the first one's motion, and contents of their own")
    latents: PathText | None = Field(None, description="a file of latents, used instead of seeds")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        at_most_one(same_content=self.same_content, same_motion=self.same_motion)
        at_most_one(label=self.label, latents=self.latents)
        at_most_one(seeds=self.seeds, latents=self.latents)
        at_most_one(seeds=self.seeds, seed=self.seed or None)
        at_most_one(seeds=self.seeds, videos=self.videos)
        return self


class Cast:
    """The videos of a request, each drawn when it is asked for.

    Args:
        pairs: (content, motion) of each video, as numbers of the file's videos or of seeds.

    Raises:
        InrvidError: no such label, a file that is not of this generator's latents or has too few videos, too few seeds.
    """

    def __init__(self, generator: VideoGenerator, who: Who, pairs: Sequence[tuple[int, int]] | None = None):
        self.generator, self.who = generator, who
        self._label = class_number(generator, who.label)
        self._file = None if who.latents is None else read_latents(who.latents, generator)
        count = who.videos or len(self._file or who.seeds or (0,))
        self._pairs = pairs
        self._count = count if pairs is None else len(pairs)
        last = 0 if who.same_content else count - 1
        highest = last if pairs is None else max(content for content, _ in pairs)
        if self._file is not None and highest >= len(self._file):
            raise InrvidError(f"{who.latents}: it has {len(self._file)} videos, {highest + 1} are asked for")
        needed = count if pairs is None else 1 + max(number for pair in pairs for number in pair)
        if who.seeds is not None and needed > len(who.seeds):
            raise InrvidError(f"--seeds: {len(who.seeds)} are given, and {needed} needed")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Latents:
        """Latents of one video."""
        content, motion = self._pair(number)
        own = self._of(content)
        return own if motion == content else own.with_motion(self._of(motion))

    def save(self, path: Path) -> None:
        """All latents in one file."""
        Latents.joined([self[number] for number in range(len(self))]).save(path)

    def inr(self, number: int) -> VideoINR:
        """φ of one video alone: its pixels do not depend on how many others are asked for."""
        with torch.no_grad():
            return self.generator.inr(self[number], truncation=self.who.truncation)

    def _pair(self, number: int) -> tuple[int, int]:
        if self._pairs is not None:
            return self._pairs[number]
        return (0 if self.who.same_content else number, 0 if self.who.same_motion else number)

    def _of(self, number: int) -> Latents:
        """Numbers beyond the file's are drawn by seed: new motions for a content that was found."""
        if self._file is not None and number < len(self._file):
            return self._file[number]
        seed = self.who.seed + number if self.who.seeds is None else self.who.seeds[number]
        return self.generator.sample_latents(1, seed=seed, label=self._label)


def class_number(generator: VideoGenerator, label: int | str | None) -> int | None:
    """A class by its number or, where the model knows names, its name. Raises InrvidError if there is no such class."""
    if label is None or isinstance(label, int):
        return label
    names = generator.class_names
    if label in names:
        return names.index(label)
    if label.isdecimal() and len(label) < 10:
        return int(label)
    if not generator.label_dim:
        raise InrvidError(f"--label {label}: this generator is unconditional: leave the label out")
    if not names:
        raise InrvidError(f"--label {label}: this model knows no names: a number of 0 … {generator.label_dim - 1}")
    few = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    raise InrvidError(f"--label {label}: no class of that name.{did_you_mean(label, names)}\n  available: {few}")
