"""Files that are not of the release's layout are refused in a line with their name."""

from __future__ import annotations

import json

import pytest
import torch
from inrvid_mocogan_hd import from_official
from safetensors.torch import save_file

from inrvid.plugins import ModelError


def refusal(path, tensors, config):
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, {"config": config})
    with pytest.raises(ModelError) as caught:
        from_official(path)
    return str(caught.value)


@pytest.mark.parametrize("config", ["null", "[1]", "3", "{", '{"n_frames_G": "many"}', '{"video_frame_size": "wide"}'])
def test_settings_that_are_none(config, golden, tmp_path):
    told = refusal(tmp_path / "weights.safetensors", golden, config)
    assert told.startswith(f"{tmp_path / 'weights.safetensors'}: not ")
    assert "\n" not in told


@pytest.mark.parametrize(
    "name",
    [
        "G.input.input",
        "G.conv1.activate.bias",
        "G.conv1.conv.modulation.weight",
        "G.to_rgb1.bias",
        "R.w",
        "pca.comp",
        "in.D_3d.scale0_layer0.0.bias",
        "cross.D_img.q_real",
        "cross.D_img.q_ptr",
    ],
)
def test_weights_that_are_empty(name, golden, settings, tmp_path):
    told = refusal(tmp_path / "weights.safetensors", {**golden, name: torch.empty(0)}, json.dumps(settings))
    assert told.startswith(f"{tmp_path / 'weights.safetensors'}: ")
    assert "\n" not in told
