"""What a video is made from: content latent, motion noise, label."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from .errors import InrvidError, ModelError
from .files import write_bytes
from .motion.noise import NoiseSequence, from_tensors, joined
from .weights import WeightsError, read_weights


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Latents:
    """Latents of B videos.

    Attributes:
        content: `[B, z_dim]`, N(0, 1).
        motion: what the generator's motion parametrization asks for: `[B, z_dim]` for `global`; a noise sequence for
            motions made of codes, explicit (`[B, L, z_dim]`) or seeded.
        label: one-hot, `[B, classes]`; width 0 if the generator is unconditional.
        ws: styles `[B, num_ws, w_dim]` (W+) that replace what the mapping network makes of content and label, as a
            projection or an edit finds them.
    """

    content: Tensor
    motion: Tensor | NoiseSequence
    label: Tensor
    ws: Tensor | None = None

    def __len__(self) -> int:
        return self.content.shape[0]

    def __getitem__(self, index: int | slice | list[int] | Tensor) -> Latents:
        """Some of the videos; an integer keeps the batch dimension."""
        index = one_of(index, len(self)) if isinstance(index, int) else index
        ws = None if self.ws is None else self.ws[index]
        return Latents(self.content[index], self.motion[index], self.label[index], ws)

    def to(self, *args, **kwargs) -> Latents:
        ws = None if self.ws is None else self.ws.to(*args, **kwargs)
        motion = self.motion.to(*args, **kwargs)
        return Latents(self.content.to(*args, **kwargs), motion, self.label.to(*args, **kwargs), ws)

    def with_motion(self, other: Latents) -> Latents:
        """These latents with the motion of `other`, which holds as many videos, or one for all.

        Raises:
            InrvidError: `other` holds another number of videos.
        """
        if len(other) not in (1, len(self)):
            raise InrvidError(f"motion of {len(other)} videos for {len(self)}: expected as many, or one for all")
        return dataclasses.replace(
            self, motion=other.motion if len(other) == len(self) else other[[0] * len(self)].motion
        )

    @classmethod
    def joined(cls, parts: Sequence[Latents]) -> Latents:
        """The videos of all parts (latents of one generator), in order.

        Raises:
            InrvidError: some have styles of their own and others do not, or motion noise of different kinds.
        """
        first, motions = parts[0], [part.motion for part in parts]
        if len({(part.ws is None, isinstance(part.motion, Tensor)) for part in parts}) > 1:
            raise InrvidError(
                "latents of different kinds cannot be joined: all need styles or none, and motion noise of one kind"
            )
        motion = torch.cat(motions) if isinstance(first.motion, Tensor) else joined(motions)  # type: ignore[arg-type]
        ws = None if first.ws is None else torch.cat([part.ws for part in parts if part.ws is not None])
        return cls(torch.cat([p.content for p in parts]), motion, torch.cat([p.label for p in parts]), ws)

    def __repr__(self) -> str:
        width, classes = self.content.shape[1], self.label.shape[1]
        return f"Latents of {len(self)} video(s), {width} wide, {classes or 'no'} classes, on {self.content.device}"

    def save(self, path: str | Path) -> None:
        """Write a safetensors file."""
        tensors = {"content": self.content, "label": self.label}
        tensors |= {} if self.ws is None else {"ws": self.ws}
        if isinstance(self.motion, Tensor):
            tensors["motion"] = self.motion
        else:
            tensors |= {f"motion.{name}": value for name, value in self.motion.tensors().items()}
        tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        write_bytes(Path(path), save(tensors, metadata={"format": "inrvid latents"}))

    @classmethod
    def load(cls, path: str | Path) -> Latents:
        """Read what `save` wrote. Raises ModelError if the file holds something else."""
        try:
            tensors = read_weights(Path(path))
        except WeightsError as error:
            raise ModelError(f"{path}: {error}") from None
        sequence = {name.removeprefix("motion."): tensors.pop(name) for name in list(tensors) if name[:7] == "motion."}
        try:
            motion = from_tensors(sequence) if sequence else tensors.pop("motion")
            return cls(tensors.pop("content"), motion, tensors.pop("label"), tensors.pop("ws", None))
        except KeyError as error:
            raise ModelError(f"{path}: not a file of latents: it lacks {error}") from None
        except (ValueError, RuntimeError):  # what should be a single integer is not
            raise ModelError(f"{path}: not a file of latents: motion noise of no known kind") from None


def one_of(index: int, length: int) -> slice:
    """The slice that holds item `index` (negative: from the end) of `length`. Raises IndexError beyond."""
    if not -length <= index < length:
        raise IndexError(f"video {index} of {length}")
    index %= length
    return slice(index, index + 1)
