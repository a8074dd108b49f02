"""How many channels the maps of each resolution have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from ..errors import ConfigError


class Widths(Protocol):
    """What a configuration must have."""

    @property
    def resolution(self) -> int: ...
    @property
    def channel_base(self) -> int: ...
    @property
    def channel_max(self) -> int: ...


C = TypeVar("C", bound=Widths)


def some_are_left(config: C) -> C:
    """A validator of configurations, after all others. Raises ValueError: no channel is left at the frames' side."""
    if config.channel_base < config.resolution:
        raise ValueError(_none_left(config.channel_base, config.resolution))
    return config


def channels_of(config: Widths, resolutions: Iterable[int]) -> dict[int, int]:
    """channels(r) = min(channel_base // r, channel_max) of each resolution r (StyleGAN2).

    Raises:
        ConfigError: `channel_base` is less than a resolution: no channel would be left.
    """
    channels = {r: min(config.channel_base // r, config.channel_max) for r in resolutions}
    if not all(channels.values()):
        raise ConfigError([((), _none_left(config.channel_base, max(channels)))])
    return channels


def _none_left(base: int, resolution: int) -> str:
    return f"channel_base {base} leaves no channel at {resolution}×{resolution}: make it {resolution} or more"
