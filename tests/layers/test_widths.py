"""Channels by resolution."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inrvid import InrvidError, build_discriminator, build_generator, load_recipe
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
    with pytest.raises(ConfigError, match="channel_base 48 leaves no channel at 64×64: make it 64 or more"):
        build({"type": part, "resolution": 64, "channel_base": 48})


def test_a_recipe_says_where(tmp_path):
    (tmp_path / "small.yaml").write_text("extends: quickstart\ndiscriminator: {channel_base: 16}\n")
    with pytest.raises(InrvidError, match=r"small.yaml:2  discriminator: channel_base 16 leaves no channel at 32×32"):
        load_recipe(tmp_path / "small.yaml")


def test_a_frame_before_its_features_are_joined():
    config = {"type": "hypernetwork", "resolution": 32, "channel_base": 64, "frame_channel_divisor": 8}
    with pytest.raises(
        ConfigError, match=r"frame_channel_divisor 8 leaves no channel of a frame at .* make it 4 or less"
    ):
        build_discriminator(config)


def test_of_other_parts():
    with pytest.raises(ConfigError, match="channel_base 3 leaves no channel at 4×4"):
        channels_of(SimpleNamespace(channel_base=3, channel_max=8), [2, 4])
