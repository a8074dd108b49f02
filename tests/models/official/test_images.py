"""The releases of pictures, put together from the parts of them that golden files of the releases of videos prove.

Without its motion, StyleGAN-V's generator is StyleGAN2's and DIGAN's is INR-GAN's; DIGAN's `imageD` is the
discriminator of both.
"""

from __future__ import annotations

import pytest
import torch

from inrvid import Latents, VideoGenerator
from inrvid.errors import ModelError
from inrvid.models.official import from_official
from inrvid.models.pretrained import load_discriminator

from ...golden_files import GOLDEN, assert_close, below, golden
from ..making import Network, pickled
from ..test_convert import converted


def generator_of(tmp_path, name, change):
    """StyleGAN-V's or DIGAN's golden generator, with changed weights."""
    G, _, _ = from_official(GOLDEN / f"{name}.safetensors")
    state = G.state_dict()
    G.load_state_dict({key: change(key, value) for key, value in state.items()})
    return G.eval()


def picture_of(G, tensors):
    latents = Latents(tensors["input.z"], G.sample_latents(len(tensors["input.z"])).motion, tensors["input.label"])
    with torch.no_grad():
        return G.inr(latents)(torch.tensor([0.0, 5.0]))


def stylegan2(noise=0.0, **more):
    """StyleGAN2-ADA's weights: the motion's channels are cut off."""
    weights = below("G.", golden("stylegan_v_a"))
    weights = {key: value for key, value in weights.items() if "motion_encoder" not in key}
    constant = weights.pop("synthesis.b4.input.input.const")[0]
    width = len(constant)
    cut = {"synthesis.b4.conv1.weight": 1, "synthesis.b4.conv1.affine.weight": 0, "synthesis.b4.conv1.affine.bias": 0}
    weights |= {key: weights[key].narrow(side, 0, width).clone() for key, side in cut.items()}
    layers = [key.removesuffix(".weight") for key in weights if key.endswith(("conv0.weight", "conv1.weight"))]
    weights |= {f"{layer}.noise_strength": torch.tensor(noise) for layer in layers}
    weights |= {f"{layer}.noise_const": torch.randn(4, 4) for layer in layers}
    return {**weights, "synthesis.b4.const": constant, **more}


def inr_gan():
    """INR-GAN's weights: no layer of the motion, and the one of the plane by another name."""
    weights = below("G.", golden("digan_a"))
    moving = ("coord_fuser.affine", "motion_mlp")
    weights = {key: value for key, value in weights.items() if not any(part in key for part in moving)}
    return {key.replace("xyaffine", "affine"): value for key, value in weights.items()}


def discriminator(name="digan_a"):
    return below("imageD.", below("D_state.", golden(name)))


def saved(tmp_path, weights, settings=None, name="digan_a", **attributes):
    D = Network("Discriminator", discriminator(name), {"epilogue_kwargs": {"mbstd_group_size": 2}})
    value = {"G_ema": Network("Generator", weights, settings or {}, attributes), "D": D}
    path = tmp_path / "pictures.pkl"
    path.write_bytes(pickled(value))
    return path


def test_stylegan2_is_stylegan_v_without_motion(tmp_path):
    tensors = golden("stylegan_v_a")
    found = converted(saved(tmp_path, stylegan2()), tmp_path / "out")
    assert (found.layout, found.generator) == ("StyleGAN2-ADA", "stylegan2 with static motion")
    width = len(stylegan2()["synthesis.b4.const"])

    def still(key, value):
        return (
            torch.cat([value[:, :width], 0 * value[:, width:]], 1) if key == "blocks.4.layers.conv1.weight" else value
        )

    expected = picture_of(generator_of(tmp_path, "stylegan_v_a", still), tensors)
    assert_close(picture_of(VideoGenerator.from_pretrained(tmp_path / "out"), tensors), expected)


def test_inr_gan_is_digan_without_motion(tmp_path):
    tensors = golden("digan_a")
    found = converted(saved(tmp_path, inr_gan()), tmp_path / "out")
    assert (found.layout, found.generator) == ("INR-GAN", "inr_gan with static motion")
    G = generator_of(tmp_path, "digan_a", lambda key, value: 0 * value if ".motion.mlp.1." in key else value)
    assert_close(picture_of(VideoGenerator.from_pretrained(tmp_path / "out"), tensors), picture_of(G, tensors))


@pytest.mark.parametrize("name", ["digan_a", "digan_b"])
def test_their_discriminator_is_digan_s_of_single_frames(tmp_path, name):
    """Of pairs, every first frame, in the groups of the whole batch of all frames."""
    tensors = golden(name)
    converted(saved(tmp_path, inr_gan(), name=name), tmp_path / "out")
    D = load_discriminator(tmp_path / "out")
    frames, label = tensors["input.pair"].flatten(0, 1), tensors["input.label"].repeat_interleave(2, dim=0)
    logits = D(frames[:, None], torch.zeros(len(frames), 1), label)["video"]
    assert_close(logits.unflatten(0, (-1, 2)), tensors["D.image_logits"])


def test_noise_is_refused_by_its_name(tmp_path):
    path = saved(tmp_path, stylegan2(noise=0.1))
    with pytest.raises(
        ModelError, match=r"conv\d.noise_strength is not 0: no generator .*(?s:.*)--accept noise_strength"
    ):
        converted(path, tmp_path / "out")
    assert "synthesis.b4.conv1.noise_strength" in converted(path, tmp_path / "out", "noise_strength").accepted


@pytest.mark.parametrize(
    ("key", "value"),
    [("log_emb_size", 8), ("use_raw_coords", True), ("fourier_scale", 3.0)],
)
def test_what_embeddings_of_coordinates_keep_is_looked_at(tmp_path, key, value):
    place = {f"synthesis.b4.input.input.coord_fuser.{key}": value, "synthesis.b64.coord_fuser.fourier_scale": 2.0}
    with pytest.raises(ModelError, match=key):
        converted(saved(tmp_path, inr_gan(), **place), tmp_path / "out")


def test_embeddings_of_several_widths_are_refused(tmp_path):
    weights = inr_gan()
    name = "synthesis.b128.coord_fuser.affine"
    weights |= {f"{name}.{key}": weights[f"{name}.{key}"][:12] for key in ("weight", "bias")}
    with pytest.raises(ModelError, match=r"its coordinate embeddings have the widths \[12, 18\]"):
        converted(saved(tmp_path, weights), tmp_path / "out")
