"""Channels by resolution."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inrvid import build_discriminator, build_generator
from inrvid.errors import ConfigError
from inrvid.layers.widths import channels_of


def test_halve_from_one_resolution_to_the_next_up_to_the_most():
    config = SimpleNamespace(channel_base=2048, channel_max=128)
    assert channels_of(config, [4, 8, 16, 32, 64]) == {4: 128, 8: 128, 16: 128, 32: 64, 64: 32}


@pytest.mark.parametrize(
    ("build", "part"),
    [
        (build_generator, "inr_gan"),
        (build_generator, "stylegan2"),
        (build_discriminator, "dual"),
        (build_discriminator, "hypernetwork"),
    ],
)
def test_none_left_is_said_by_the_key(build, part):
    with pytest.raises(ConfigError, match="channel_base: 48 leaves no channel at 64×64: make it 64 or more"):
        build({"type": part, "resolution": 64, "channel_base": 48})
