"""Discriminators: frames and their times → logits of one or several heads.

A discriminator defines what its heads look at (`inputs`), their logits (`heads`), and where a loss may penalise their
gradients (`penalty_points`), so that the loss need not know the heads.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from ..config import MOST, Count, Natural, PartConfig, PowerOfTwo
from ..errors import InrvidError
from ..layers.precision import without_autocast
from ..layers.residual import separate_batches
from ..pretrained import Pretrained

Tensors = dict[str, Tensor]
Augmentation = Callable[[Tensor], Tensor]
"""A fixed draw of an augmentation: frames `[B, T, 3, H, W]` → the same shape."""

ClipBatch = tuple[Tensor, Tensor, Tensor]
"""frames, t and label of a batch, as `Discriminator.forward` takes them."""


class Discriminator(Pretrained, nn.Module, abc.ABC):
    """Frames `[B, frames, 3, H, W]`, their times and labels → logits by head.

    A subclass is constructed as `Class(config)`, usually by `inrvid.build_discriminator`, derives its `Config` from
    this one, and provides `inputs` (what each head looks at) and `heads` (their logits).
    """

    kind = "discriminators"

    class Config(PartConfig):
        resolution: PowerOfTwo = Field(128, description="side of the frames; in a recipe: the generator's")
        clip_length: Annotated[int, Field(ge=2, le=MOST)] = Field(
            16, description="frames of a clip; in a recipe: the generator's"
        )
        label_dim: Natural = Field(0, description="number of classes; in a recipe: the generator's")
        frames: Count = Field(2, description="frames of a clip that the discriminator sees")
        channel_base: Count = Field(32768, description="channels(r) = min(channel_base // r, channel_max)")
        channel_max: Count = Field(512, description="largest number of channels")
        mbstd_group: Count = Field(4, description="group size of the minibatch standard deviation")
        half_blocks: Natural = Field(0, description="how many of the highest resolutions run in half precision")
        half_dtype: Literal["float16", "bfloat16"] = Field("float16", description="which half precision")

    joins: ClassVar[bool] = False
    """Whether `both` may be one call: no layer except `MinibatchStd` looks beyond a clip or keeps statistics."""

    def __init__(self, config: Config):
        super().__init__()
        self._config = config
        self.frames = config.frames
        """Number of frames of a clip that it sees."""
        self.group = config.mbstd_group
        """Number of clips that are judged together: a batch is split into whole groups only."""

    @abc.abstractmethod
    def inputs(self, frames: Tensor, t: Tensor) -> Tensors:
        """frames `[B, frames, 3, H, W]` at times t `[B, frames]` (in frames) → what each head looks at."""

    @abc.abstractmethod
    def heads(self, inputs: Tensors, t: Tensor, label: Tensor) -> Tensors:
        """Logits of each head: `[B]`, or several per clip, `[B, frames]`, or `[B, …]` for patches."""

    @without_autocast
    def forward(self, frames: Tensor | Tensors, t: Tensor, label: Tensor | None = None) -> Tensors:
        """frames `[B, frames, 3, H, W]` in [−1, 1], t `[B, frames]`, label `[B, classes]` → logits by head.

        `frames` may instead be what the heads look at, as returned by `inputs` or `penalty_points`. Without classes,
        the label may be left out.

        Raises:
            InrvidError: clips of another number of frames or type, or without the label that it judges them by;
                `heads` returns something other than their logits.
        """
        if not isinstance(frames, dict):
            self._check_clips(frames, t)
        if label is None:
            if classes := self._config.label_dim:
                raise InrvidError(f"{type(self).__name__} judges clips by their class: label [B, {classes}], one-hot")
            label = t.new_zeros(len(t), 0)
        logits = self.heads(frames if isinstance(frames, dict) else self.inputs(frames, t), t, label)
        self._check_logits(logits, clips=t.shape[0])
        return logits

    def _check_clips(self, frames: Tensor, t: Tensor) -> None:
        """Size and number of channels are left for the discriminator itself to check."""
        name, count = type(self).__name__, self.frames
        if frames.ndim == 5 and frames.shape[1] != count:
            raise InrvidError(f"{name} judges {count} frames of a clip, got {frames.shape[1]}")
        if frames.ndim != 5 or not frames.is_floating_point() or t.shape != frames.shape[:2]:
            raise InrvidError(
                f"{name} judges clips [B, {count}, 3, H, W] in [−1, 1] at times [B, {count}], got "
                f"{str(frames.dtype).removeprefix('torch.')} {[*frames.shape]} at {[*t.shape]}"
            )

    def _check_logits(self, logits: Tensors, clips: int) -> None:
        if not isinstance(logits, dict):
            raise InrvidError(f"{type(self).__name__}.heads gives a {type(logits).__name__}: expected a dict, by head")
        for head, value in logits.items():
            if not value.ndim or value.shape[0] != clips:
                raise InrvidError(
                    f"{type(self).__name__}: head '{head}' gives logits of the shape {list(value.shape)} for {clips} "
                    "clips: expected [clips], or [clips, frames]"
                )

    def both(
        self, first: ClipBatch, second: ClipBatch, run: Callable[[Tensor, Tensor, Tensor], Tensors] | None = None
    ) -> tuple[Tensors, Tensors]:
        """Logits of two batches of equal size, each judged as if the other were not there.

        Args:
            run: what to call in place of this discriminator: its compiled version.
        """
        run = self if run is None else run
        if not self.joins:
            return run(*first), run(*second)
        frames, t, label = (torch.cat(pair) for pair in zip(first, second, strict=True))
        with separate_batches(self, 2):
            logits = {head: value.chunk(2) for head, value in run(frames, t, label).items()}
        return {head: value[0] for head, value in logits.items()}, {head: value[1] for head, value in logits.items()}

    def penalty_points(self, frames: Tensor, t: Tensor, augment: Augmentation) -> tuple[Tensors, Tensors]:
        """Where a gradient penalty differentiates: (leaves that require a gradient, each head's input made from them).

        The squared gradient norm is taken of each row of a leaf. By default, a row is one real frame,
        `[B·frames, 3, H, W]`, *before* augmentation, which is part of the differentiated function (StyleGAN2-ADA,
        NeurIPS 2020, and StyleGAN-V's release); each head has its own leaves. A head that is not to be penalised is
        left out of both, and `heads` is then called without its input.
        """
        points, inputs = {}, {}
        for head in self.inputs(frames, t):
            points[head] = frames.detach().flatten(0, 1).requires_grad_()
            inputs[head] = self.inputs(augment(points[head].unflatten(0, frames.shape[:2])), t)[head]
        return points, inputs

    def steering(self, logits: Tensors) -> Tensors:
        """Those of the real clips' logits whose signs an adaptive augmentation follows; by default all."""
        return logits

    @property
    def resolution(self) -> int:
        """Side of the frames, pixels."""
        return self._config.resolution

    @property
    def label_dim(self) -> int:
        """Number of classes; 0: unconditional."""
        return self._config.label_dim

    @property
    def config(self) -> dict[str, Any]:
        """Plain data that rebuilds this discriminator: `build_discriminator(D.config)`."""
        return self._config.model_dump(mode="json")
