"""How many channels the maps of each resolution have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ..errors import ConfigError


class Widths(Protocol):
    """Of a configuration."""

    @property
    def channel_base(self) -> int: ...
    @property
    def channel_max(self) -> int: ...


def channels_of(config: Widths, resolutions: Iterable[int]) -> dict[int, int]:
    """channels(r) = min(channel_base // r, channel_max) of each resolution r (StyleGAN2).

    Raises:
        ConfigError: `channel_base` is less than a resolution: no channel would be left.
    """
    channels = {r: min(config.channel_base // r, config.channel_max) for r in resolutions}
    if not all(channels.values()):
        largest = max(channels)
        told = f"{config.channel_base} leaves no channel at {largest}×{largest}: make it {largest} or more"
        raise ConfigError([(("channel_base",), told)])
    return channels
