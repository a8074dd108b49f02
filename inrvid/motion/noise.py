"""Motion noise as an endless sequence: the noise of any code index, without drawing the ones before it.

A sequence is either explicit (`ExplicitNoise`: a tensor `[B, L, width]`, as in the papers' notation) or seeded
(`SeededNoise`): noise i of a video is a function of (the video's key, i) alone, computed on any device by a
counter-based generator (`kernels.normal`). numpy has such generators too, but on the CPU and one stream at a time; here
a whole batch of windows is drawn at once, on the model's device.
"""

from __future__ import annotations

import abc
import dataclasses
import zlib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..errors import InrvidError
from ..kernels.normal import MASK, normal
from ..kernels.recording import is_recording
from ..random import SampleKey
from ..slerp import slerp
from ..transfer import to_device

MOST_GIVEN = 1 << 16
"""Most indices over which `joined` makes given noises alike."""


class NoiseSequence(abc.ABC):
    """Noise of B videos, with a tensor's `len`, indexing (along its first dimension) and `to`."""

    @abc.abstractmethod
    def at(self, index: Tensor) -> Tensor:
        """Noise of code indices int64 `[B, …]` → `[B, …, width]`. Raises InrvidError where there is none."""

    def until(self, last: Tensor) -> int:
        """Number of noises, from index 0 on, needed to include all indices in `last` (int64)."""
        return int(last.max()) + 1

    @abc.abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """The tensors to save, from which `from_tensors` rebuilds the sequence."""

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def __getitem__(self, index: slice | list[int] | Tensor) -> NoiseSequence: ...

    @abc.abstractmethod
    def to(self, *args, **kwargs) -> NoiseSequence: ...

    def lerp(self, other: NoiseSequence, weight: float) -> NoiseSequence:
        """Linear interpolation between this noise (weight 0) and another (weight 1), at each index."""
        return MixedNoise(self, other, weight)

    def slerp(self, other: NoiseSequence, weight: float) -> NoiseSequence:
        """As `lerp`, but along the sphere: between noises from N(0, 1), the result is nearly from N(0, 1), too."""
        return MixedNoise(self, other, weight, spherical=True)


class ObservedNoise(NoiseSequence):
    """Another sequence's noises; `observe` is called with the requested indices, int64 `[B, …]`."""

    def __init__(self, sequence: NoiseSequence, observe: Callable[[Tensor], None]):
        self.sequence, self.observe = sequence, observe

    def at(self, index: Tensor) -> Tensor:
        self.observe(index)
        return self.sequence.at(index)

    def tensors(self) -> dict[str, Tensor]:
        return self.sequence.tensors()

    def __len__(self) -> int:
        return len(self.sequence)

    def __getitem__(self, index: slice | list[int] | Tensor) -> NoiseSequence:
        return self.sequence[index]

    def to(self, *args, **kwargs) -> NoiseSequence:
        return self.sequence.to(*args, **kwargs)


@dataclasses.dataclass(frozen=True, eq=False)
class ExplicitNoise(NoiseSequence):
    """`values` `[B, L, width]`: indices 0 … L − 1."""

    values: Tensor

    def at(self, index: Tensor) -> Tensor:
        self._check(index)
        videos = torch.arange(self.values.shape[0], device=index.device).view(-1, *[1] * (index.ndim - 1))
        return self.values[videos, index]

    def until(self, last: Tensor) -> int:
        """While a program is recorded, all noises that there are: shapes must not depend on values."""
        if not is_recording():
            return super().until(last)
        self._check(last)
        return self.values.shape[1]

    def _check(self, index: Tensor) -> None:
        length = self.values.shape[1]
        if is_recording():
            torch._assert_async(((index >= 0) & (index < length)).all(), "motion noise: too few noises for these times")
        elif index.numel():
            first, last = torch.stack(index.aminmax()).tolist()
            if first < 0:
                raise InrvidError(f"motion noise: code index {first} is asked for: times of such noise begin at 0")
            if last >= length:
                raise InrvidError(
                    f"motion noise: code index {last} is asked for, but the sequence holds {length}; "
                    "give a longer one, or let it be drawn (G.sample_latents)"
                )

    def tensors(self) -> dict[str, Tensor]:
        return {"values": self.values}

    def __len__(self) -> int:
        return self.values.shape[0]

    def __getitem__(self, index: slice | list[int] | Tensor) -> ExplicitNoise:
        return ExplicitNoise(self.values[index])

    def to(self, *args, **kwargs) -> ExplicitNoise:
        return ExplicitNoise(self.values.to(*args, **kwargs))


@dataclasses.dataclass(frozen=True, eq=False)
class SeededNoise(NoiseSequence):
    """N(0, 1), `width` numbers per index, for any index, even a negative one.

    `keys`: int64 `[B, 4]`, 32-bit words (two of the seed, the step, the sample).
    """

    keys: Tensor
    width: int
    dtype: torch.dtype = torch.float32

    @classmethod
    def of_keys(cls, keys: Sequence[SampleKey], purpose: str, width: int) -> SeededNoise:
        word = zlib.crc32(purpose.encode())
        rows = [[(k.seed ^ word) & MASK, (k.seed >> 32) & MASK, k.step & MASK, k.sample & MASK] for k in keys]
        return cls(torch.tensor(rows, dtype=torch.int64, device="cpu").view(-1, 4), width)

    def at(self, index: Tensor) -> Tensor:
        return normal(self.keys, index, self.width).to(self.dtype)

    def tensors(self) -> dict[str, Tensor]:
        return {"keys": self.keys, "width": torch.tensor(self.width)}

    def __len__(self) -> int:
        return self.keys.shape[0]

    def __getitem__(self, index: slice | list[int] | Tensor) -> SeededNoise:
        return dataclasses.replace(self, keys=self.keys[index])

    def to(self, *args, **kwargs) -> SeededNoise:
        target = torch.empty(0, dtype=self.dtype, device=self.keys.device).to(*args, **kwargs)
        return SeededNoise(to_device(self.keys, target.device), self.width, target.dtype)


@dataclasses.dataclass(frozen=True, eq=False)
class GivenNoise(NoiseSequence):
    """`values` `[B, L, width]` at the indices `first` … first + L − 1, and `rest` everywhere else: noises found by a
    projection, for a video that continues before and after them."""

    values: Tensor
    first: int
    rest: NoiseSequence

    def at(self, index: Tensor) -> Tensor:
        length = self.values.shape[1]
        place = index - self.first
        videos = torch.arange(self.values.shape[0], device=index.device).view(-1, *[1] * (index.ndim - 1))
        given = self.values[videos, place.clamp(0, length - 1)]
        inside = ((place >= 0) & (place < length))[..., None]
        return torch.where(inside, given, self.rest.at(index).to(given.dtype))

    def tensors(self) -> dict[str, Tensor]:
        rest = {f"rest.{name}": value for name, value in self.rest.tensors().items()}
        return {"given": self.values, "first": torch.tensor(self.first), **rest}

    def __len__(self) -> int:
        return self.values.shape[0]

    def __getitem__(self, index: slice | list[int] | Tensor) -> GivenNoise:
        return GivenNoise(self.values[index], self.first, self.rest[index])

    def to(self, *args, **kwargs) -> GivenNoise:
        return GivenNoise(self.values.to(*args, **kwargs), self.first, self.rest.to(*args, **kwargs))


@dataclasses.dataclass(frozen=True, eq=False)
class MixedNoise(NoiseSequence):
    """first + weight·(second − first), or, if `spherical`, the same fraction of the way along the sphere."""

    first: NoiseSequence
    second: NoiseSequence
    weight: float
    spherical: bool = False

    def at(self, index: Tensor) -> Tensor:
        mix = slerp if self.spherical else torch.lerp
        return mix(self.first.at(index), self.second.at(index), self.weight)

    def tensors(self) -> dict[str, Tensor]:
        raise InrvidError("interpolated motion noise cannot be saved: save the latents that it lies between")

    def __len__(self) -> int:
        return max(len(self.first), len(self.second))  # a noise of one video serves all of the other's

    def __getitem__(self, index: slice | list[int] | Tensor) -> MixedNoise:
        first, second = (noise[index] if len(noise) == len(self) else noise for noise in (self.first, self.second))
        return dataclasses.replace(self, first=first, second=second)

    def to(self, *args, **kwargs) -> MixedNoise:
        first, second = (noise.to(*args, **kwargs) for noise in (self.first, self.second))
        return dataclasses.replace(self, first=first, second=second)


def joined(sequences: Sequence[NoiseSequence]) -> NoiseSequence:
    """The noises of all their videos as one sequence; if some are given, all become given, at the same indices.

    Raises:
        InrvidError: they are of different kinds or lengths, or given at indices too far apart.
    """
    sequences = _given_alike(sequences)
    parts = [sequence.tensors() for sequence in sequences]
    kinds = {tuple((name, x.shape[1:] if x.ndim else int(x)) for name, x in sorted(part.items())) for part in parts}
    if len(kinds) > 1:
        raise InrvidError("motion noises of different kinds or lengths cannot be joined: keep them apart")
    return from_tensors(
        {name: torch.cat([part[name] for part in parts]) if x.ndim else x for name, x in parts[0].items()}
    )


def _given_alike(sequences: Sequence[NoiseSequence]) -> Sequence[NoiseSequence]:
    """The same noises; if some are given, all as given ones, at all indices from the first to the last of any."""
    spans = [(noise.first, noise.first + noise.values.shape[1]) for noise in sequences if isinstance(noise, GivenNoise)]
    if not spans or (len({*spans}) == 1 and len(spans) == len(sequences)):
        return sequences
    first, end = min(first for first, _ in spans), max(end for _, end in spans)
    rests = [noise.rest if isinstance(noise, GivenNoise) else noise for noise in sequences]
    if end - first > MOST_GIVEN or not all(isinstance(rest, SeededNoise) for rest in rests):
        return sequences
    values = (noise.at(torch.arange(first, end, device=_device(noise)).expand(len(noise), -1)) for noise in sequences)
    return [GivenNoise(given, first, rest) for given, rest in zip(values, rests, strict=True)]


def _device(noise: NoiseSequence) -> torch.device:
    return next(iter(noise.tensors().values())).device


MOST_RESTS = 8
"""Depth to which the `rest` of given noise may be given noise in turn."""


def from_tensors(tensors: dict[str, Tensor]) -> NoiseSequence:
    """Rebuild a sequence from its `NoiseSequence.tensors`. Raises KeyError or ValueError: they are something else."""
    if "given" in tensors:
        rest = {name.removeprefix("rest."): value for name, value in tensors.items() if name.startswith("rest.")}
        if any(name.count("rest.") >= MOST_RESTS for name in rest):
            raise ValueError("given noise beyond given noise, and so on")
        return GivenNoise(tensors["given"], _whole(tensors["first"]), from_tensors(rest))
    if "values" in tensors:
        return ExplicitNoise(tensors["values"])
    return SeededNoise(tensors["keys"], _whole(tensors["width"]))


def _whole(number: Tensor) -> int:
    if number.dtype != torch.int64 or number.numel() != 1:
        raise ValueError(f"{number.dtype} of shape {list(number.shape)} is no whole number")
    return int(number)
