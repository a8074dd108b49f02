"""What a detector offers: features of clips, and a digest of itself for the records of scores."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...config import PartConfig
from ...documents import Document
from ...errors import InrvidError

AT_ONCE = 4
"""Clips that go through a network together. With I3D on a CPU, one at a time takes 1.4 times as long, and eight take a
tenth less, for twice the memory."""

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Types of numbers, by their names in `Detector` configurations."""


class NotHere(InrvidError):
    """Weights of a detector, or a package that it needs, are not on this machine; the message says how to get them."""


class DetectorDigest(Document):
    """Which network made a score's features, and how clips were prepared for it: two scores compare if it is equal.

    `sha256` is that of the file of weights as its author published it, in whatever form it has been kept since (of the
    tensors, if the weights are not from a file; empty: there are none).
    """

    name: str
    package: str = ""
    version: str = ""
    licence: str = ""
    sha256: str = ""
    features: str
    resize: str
    precision: str = "fp32"
    trained: bool = True
    """False: random weights, whose scores are only for tests."""


class Detector(nn.Module, abc.ABC):
    """Makes features of clips. Built in evaluation mode, without gradients, on the CPU: `to(device)` moves it."""

    Config: ClassVar[type[PartConfig]]
    min_frames: ClassVar[int] = 1
    """Fewest frames of a clip that it can see."""
    max_frames: ClassVar[int | None] = None
    """Most frames of a clip that it can see; None: any number."""
    logits_with: ClassVar[Mapping[str, Any] | None] = None
    """Configuration keys, with the values for which its features are logits of classes; None: it knows no classes."""
    digest: DetectorDigest
    parts: Mapping[str, slice] = MappingProxyType({"": slice(None)})
    """Columns of the features, by name, that are scored separately; for most detectors, one part without a name."""

    def __init__(self, config: PartConfig):
        super().__init__()
        self.config = config

    @property
    def gives_logits(self) -> bool:
        """Whether its features are logits of classes, whose softmax are probabilities."""
        keys = self.logits_with
        return keys is not None and all(getattr(self.config, key) == value for key, value in keys.items())

    def check_frames(self, count: int) -> None:
        """Raise InrvidError if clips of `count` frames are too short, or too long."""
        least, most = self.min_frames, self.max_frames
        if least <= count <= (most or count):
            return
        needed = f"{least}" if least == most else f"at least {least}" if count < least else f"at most {most}"
        raise InrvidError(f"{self.digest.name} needs {needed} frames, got {count}")

    @torch.inference_mode()
    def features(self, clips: Tensor) -> Tensor:
        """Features, float32 `[B, n]`, of clips `[B, T, 3, H, W]` in [−1, 1], any size, on the detector's device.

        Clips are processed a few at a time (`AT_ONCE`), however many are given.

        Raises:
            InrvidError: another shape, numbers that are not floating-point, fewer frames than `min_frames` or more than
                `max_frames`.
        """
        if clips.ndim != 5 or clips.shape[2] != 3 or not len(clips) or not clips.is_floating_point():
            found = f"{str(clips.dtype).removeprefix('torch.')} {list(clips.shape)}"
            raise InrvidError(f"{self.digest.name} takes clips [B, T, 3, H, W] of floats in [−1, 1], got {found}")
        self.check_frames(clips.shape[1])
        with exact_products():
            return torch.cat([self._features(some).float() for some in clips.split(AT_ONCE)])

    @abc.abstractmethod
    def _features(self, clips: Tensor) -> Tensor:
        """Features of a few clips that have been checked."""


def resized(frames: Tensor, side: int, mode: str = "bilinear") -> Tensor:
    """Frames `[..., 3, H, W]` resized to side × side: bilinear (or bicubic), with `align_corners` off, not antialiased,
    without keeping the aspect ratio, as in the code that FVDs were published with."""
    if frames.shape[-2:] == (side, side):
        return frames
    images = frames.reshape(-1, *frames.shape[-3:])
    images = F.interpolate(images, size=(side, side), mode=mode, align_corners=False, antialias=False)
    return images.reshape(*frames.shape[:-2], side, side)


RESIZE = "bilinear, no antialiasing, squashed to {side}×{side}"
"""The rule of `resized` for a digest."""


@contextlib.contextmanager
def exact_products() -> Iterator[None]:
    """Within the block, float32 products on a GPU are exact, whatever a training's precision is: PyTorch's default for
    convolutions is TF32."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = False
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before
