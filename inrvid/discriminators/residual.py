"""StyleGAN2's image discriminator (CVPR 2020), from which discriminators of clips are made."""

from __future__ import annotations

from torch import Tensor, nn

from ..layers.half import half_dtypes, needs_clamp
from ..layers.mapping import MappingNetwork
from ..layers.residual import Epilogue, ResidualBlock, from_rgb, run_blocks
from ..layers.widths import channels_of
from .base import Discriminator


class ResidualDiscriminator(nn.Module):
    """`[N, in_channels, R, R]`, label `[N, classes]` → logit `[N]`: residual blocks down to 4×4, and the epilogue.

    With `config.label_dim`, the logit is the projection onto the label, which `label_layers` layers map first.
    """

    def __init__(self, config: Discriminator.Config, *, in_channels: int, label_layers: int = 8):
        super().__init__()
        resolutions = [2**i for i in range(config.resolution.bit_length() - 1, 1, -1)]
        channels = list(channels_of(config, resolutions).values())
        half = needs_clamp(config.half_blocks, config.half_dtype)
        self.dtypes = half_dtypes(resolutions, config.half_blocks, config.half_dtype)
        self.rgb = from_rgb(in_channels, channels[0], half=half)
        blocks = zip(resolutions, channels, channels[1:], strict=False)
        self.blocks = nn.ModuleDict({str(r): ResidualBlock(a, a, b, half=half) for r, a, b in blocks})
        cmap_dim = channels[-1] if config.label_dim else 0
        self.epilogue = Epilogue(
            channels[-1], channels[-1], cmap_dim=cmap_dim, mbstd_group=config.mbstd_group, half=half
        )
        self.mapping = (
            MappingNetwork(0, config.label_dim, cmap_dim, layers=label_layers, average=False) if cmap_dim else None
        )

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        cmap = None if self.mapping is None else self.mapping(None, label)
        x = run_blocks(self.rgb, self.blocks, self.dtypes, x)
        return self.epilogue(x, cmap)
