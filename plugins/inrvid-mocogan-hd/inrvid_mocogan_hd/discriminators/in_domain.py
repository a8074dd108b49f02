"""MoCoGAN-HD's discriminators where the image generator shows what the videos show (ICLR 2021, §3.2).

Both are conditioned on the first frame, which is joined to every other one as further channels: that of clips sees all
of them, that of pictures one.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from inrvid.plugins import ParameterGroup, Tensors

from .clips import BETAS, ClipDiscriminator


class InDomain(ClipDiscriminator):
    """Pyramids of patches: of a clip, and of one of its frames, both beside the first frame.

    Heads: `video<k>` `[B, 1, t, h, w]`, `image<k>` `[B, 1, h, w]`, k = 0 at full size.
    """

    source = "MoCoGAN-HD (ICLR 2021) §3.2"

    class Config(ClipDiscriminator.Config):
        least_frames = 4  # the first is joined to the others

    in_channels = 6

    def __init__(self, config: Config):
        super().__init__(config)
        self.image = self._pyramid(2, 6, "instance")

    def clip(self, frames: Tensor) -> Tensor:
        frames = self.pooled(frames).transpose(1, 2)  # [B, 3, n, h, w]
        first = frames[:, :, :1].expand(-1, -1, frames.shape[2] - 1, -1, -1)
        return torch.cat([first, frames[:, :, 1:]], dim=1)

    def picture_inputs(self, frames: Tensor, later: int) -> Tensors:
        pair = self.pooled(frames[:, [0, later]])
        return self.at_scales("image", pair.flatten(1, 2))

    def heads(self, inputs: Tensors, t: Tensor | None = None, label: Tensor | None = None) -> Tensors:
        networks: dict[str, nn.Module] = {f"video{k}": network for k, network in enumerate(self.video)}
        networks |= {f"image{k}": network for k, network in enumerate(self.image)}
        return {head: networks[head](x) for head, x in inputs.items()}

    def parameter_groups(self) -> Iterator[ParameterGroup]:
        yield from super().parameter_groups()
        yield ParameterGroup(self.image.parameters(), betas=BETAS)
