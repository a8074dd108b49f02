"""An edit guided by a judge of pictures: the styles of one frame are moved until the judge likes what it sees.

StyleGAN-V (CVPR 2022, §4) edits a frame by CLIP this way: Adam, learning rate 0.1, 40 steps, 0.001·‖Δw‖². The step Δw
is a direction: it goes with the whole video, and with any motion (`directions.moved`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ...config import Count, NonNegative, Positive
from ...errors import InrvidError
from ...files import checked
from ...generators.base import VideoGenerator
from ...latents import Latents
from ..options import Options
from .directions import Direction

Judge: TypeAlias = Callable[[Tensor], Tensor]
"""Frames `[N, 3, H, W]` in [−1, 1] → `[N]`, the smaller the better; differentiable."""

Told: TypeAlias = Callable[[int, float], None]
"""Called with (step, loss) after each step."""

LARGEST_MASK = 64 * 2**20
"""Bytes of a mask's file, at most."""


class GuidedRequest(Options):
    """How a frame is edited.

    Attributes:
        at: which frame, in frames at the model's rate.
        keep: weight of the mean squared change outside a mask.
    """

    at: Annotated[float, Field(ge=-1e9, le=1e9)] = 0.0
    steps: Annotated[Count, Field(le=100_000)] = 40
    lr: Positive = 0.1
    l2: NonNegative = 0.001
    keep: NonNegative = 1.0


@torch.inference_mode(False)
@torch.enable_grad()
def guided(
    generator: VideoGenerator,
    latents: Latents,
    judge: Judge,
    request: GuidedRequest | None = None,
    *,
    name: str,
    how: str,
    mask: Tensor | None = None,
    told: Told = lambda step, loss: None,
) -> Direction:
    """The step in W+ that makes one video's frame what the judge likes, as a direction for a strength of 1.

    Example:
        direction = guided(generator, latents, lambda frames: -frames[:, 0].mean((1, 2)), name="red", how="redness")

    Args:
        latents: of one video; if it has styles of its own (`ws`), the edit begins there.
        mask: `[H, W]` of the model's size in [0, 1], 1 where the frame may change: the judge sees the original
            elsewhere.

    Raises:
        InrvidError: more than one video, or a loss that is not finite.
    """
    request = request or GuidedRequest()
    if len(latents) != 1:
        raise InrvidError(f"an edit begins at one video, these are {len(latents)}: choose one of them")
    with torch.no_grad():
        begin = generator.styles(latents).clone()
        before = _frame(generator, begin, latents, request.at)
    change = torch.zeros_like(begin).requires_grad_()
    optimizer = torch.optim.Adam([change], lr=request.lr)
    area = torch.ones_like(before[0, 0]) if mask is None else mask.to(before)
    for step in range(request.steps):
        after = _frame(generator, begin + change, latents, request.at)
        outside = ((after - before).square() * (1 - area)).mean()
        liked = judge(before.lerp(after, area)).mean()
        loss = liked + request.l2 * change.square().sum() + request.keep * outside
        if not loss.isfinite():
            raise InrvidError(f"step {step}: the loss is not finite: lower --learning-rate")
        (change.grad,) = torch.autograd.grad(loss, change)  # of the step alone: weights keep no gradients
        optimizer.step()
        told(step + 1, loss.item())
    return Direction(name, change.detach()[0], how)


def read_mask(path: Path, generator: VideoGenerator) -> Tensor:
    """A picture as a mask `[H, W]` of the model's size: white where the frame may change.

    Raises:
        InrvidError: it cannot be read.
    """
    from PIL import Image

    try:
        checked(path, LARGEST_MASK)
        with Image.open(path) as image:
            grey = np.asarray(image.convert("L"), dtype=np.float32) / 255
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise InrvidError(f"{path}: not a picture that can be read: {' '.join(str(error).split())}") from None
    side = generator.resolution
    return F.interpolate(torch.from_numpy(grey)[None, None], size=(side, side), mode="area")[0, 0]


def _frame(generator: VideoGenerator, ws: Tensor, latents: Latents, at: float) -> Tensor:
    """`[1, 3, H, W]`."""
    return generator.inr_of_ws(ws, latents.motion, latents.label)(at)[:, 0]
