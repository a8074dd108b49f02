"""Files of the releases: what is read, at other sizes too, and what is refused."""

from __future__ import annotations

import json

import pytest
import torch
from inrvid_mocogan import from_official
from inrvid_mocogan.convolutions import ClipCritic, FrameCritic
from mocogan_golden_files import GOLDEN, config_of, golden
from safetensors.torch import save_file

from inrvid import InrvidError, build_generator


def written(path, tensors, config):
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, {"config": json.dumps(config)})
    return path


def under(prefix, module):
    return {f"{prefix}.{name}": value.clone() for name, value in module.state_dict().items()}


@torch.no_grad()
def test_grey_videos_of_18_frames_without_classes(tmp_path):
    """The release's other sizes: logits keep their time, and its full discriminators are recognised."""
    G = build_generator(
        {"type": "mocogan", "channels": 1, "z_dim": 5, "channel_base": 128, "channel_max": 32, "motion_dim": 10}
    ).eval()
    widths = [1, 2, 4, 8, 16]
    made = {
        "D_image": FrameCritic(widths, full=True),
        "D_video": ClipCritic(widths, full=True),
        "D_patch_video": ClipCritic(widths[:-1], full=False),
        "D_categorical_video": ClipCritic(widths, 3, full=True),
    }
    tensors = {name.replace("motion.", "").replace("_l0", ""): value for name, value in under("G", G).items()}
    for name, module in made.items():
        tensors |= under(name, module.eval())
    config = {
        "ngf": 4, "dim_z_content": 5, "dim_z_category": 0, "dim_z_motion": 10, "video_length": 18, "n_channels": 1,
        "image_size": 64,
    }  # fmt: skip
    found, discriminators, info = from_official(written(tmp_path / "file.safetensors", tensors, config))
    assert info == config
    assert found.clip_length == 18
    latents = G.sample_latents(2)
    frames = found(latents, torch.arange(18))
    assert frames.shape == (2, 18, 3, 64, 64)
    torch.testing.assert_close(frames, G(latents, torch.arange(18)))
    assert set(discriminators) == set(made)
    frames = frames[:, :, :1]  # of three equal channels, what the release's networks look at
    clips = frames.transpose(1, 2)
    assert discriminators["D_image"](frames[:, 0]).shape == (2,)
    assert discriminators["D_video"](clips).shape == (2, 3)
    assert discriminators["D_patch_video"](clips).shape == (2, 6, 4, 4)
    logits, classes = discriminators["D_categorical_video"].with_classes(clips)
    assert (logits.shape, classes.shape) == ((2, 1, 3), (2, 2, 3))
    assert discriminators["D_video"](clips[:1]).shape == (1, 3)  # of one video alone


def test_motion_codes_that_are_told_a_class(tmp_path):
    """MoCoGAN+SG2 with labels, its codes 4 frames apart."""
    tensors, config = golden("mocogan_sg2_a"), config_of("mocogan_sg2_a")
    classes, encoder = 3, "G.synthesis.motion_encoder"
    wider = {
        f"{encoder}.rnn.weight_ih_l0": classes,
        f"{encoder}.mapping.fc0.weight": config["motion_v_dim"],
        "G.mapping.fc0.weight": config["w_dim"],
    }
    for name, more in wider.items():
        tensors[name] = torch.cat([tensors[name], torch.randn(len(tensors[name]), more)], dim=1)
    for place, width in ((f"{encoder}.mapping", config["motion_v_dim"]), ("G.mapping", config["w_dim"])):
        tensors |= {f"{place}.embed.weight": torch.randn(width, classes), f"{place}.embed.bias": torch.randn(width)}
    config |= {"c_dim": classes, "motion_z_distance": 4}
    G, _, _ = from_official(written(tmp_path / "file.safetensors", tensors, config))
    first, second = G.sample_latents(1, label=0), G.sample_latents(1, label=1)
    codes = [
        G.head(G.motion(one.motion, one.label, torch.tensor([[0.0, 6.0]])), one.content) for one in (first, second)
    ]
    assert not torch.allclose(*codes)
    assert G.motion.config.distance == 4


MIDDLE = "G.main.3.weight"


def only(tensors, network, kept):
    """Of a discriminator one weight is left."""
    weight = tensors[f"{network}.{kept}"]
    for name in [name for name in tensors if name.startswith(f"{network}.")]:
        del tensors[name]
    tensors[f"{network}.{kept}"] = weight


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda tensors, config: tensors.pop("G.main.0.weight"), "lacks the weight main.0.weight"),
        (lambda tensors, config: tensors.update({"G.main.20.weight": torch.zeros(1)}), "none of the layout's"),
        (lambda tensors, config: config.update(ngf=8), "where its settings make it"),
        (lambda tensors, config: config.update(ngf="wide"), "wide"),
        (lambda tensors, config: config.update(n_channels=2), "channels"),
        (lambda tensors, config: config.pop("video_length"), "its settings lack 'video_length'"),
        (lambda tensors, config: [tensors.pop(name) for name in list(tensors) if "recurrent" in name], "neither"),
        (lambda tensors, config: tensors.pop("D_image.main.5.running_mean"), "lacks the weight main.5.running_mean"),
        (lambda tensors, config: tensors.update({MIDDLE: tensors[MIDDLE].mT.flatten(0, 1)}), "where its settings make"),
        (lambda tensors, config: tensors.update({MIDDLE: tensors[MIDDLE].transpose(0, 1)}), "where its settings make"),
        (lambda tensors, config: only(tensors, "D_video", "main.1.weight"), "two convolutions or more .*here are 1"),
        (lambda tensors, config: only(tensors, "D_image", "main.5.bias"), "two convolutions or more .*are 0"),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(change, told, tmp_path):
    tensors, config = golden("mocogan_a"), config_of("mocogan_a")
    change(tensors, config)
    with pytest.raises(InrvidError, match=told) as error:
        from_official(written(tmp_path / "file.safetensors", tensors, config))
    assert "\n" not in str(error.value)


def test_no_such_file(tmp_path):
    for path in (tmp_path / "none.safetensors", GOLDEN / "README.md"):
        with pytest.raises(InrvidError, match=path.name):
            from_official(path)
