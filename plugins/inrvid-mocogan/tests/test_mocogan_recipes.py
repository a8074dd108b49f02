"""The package's recipes: they build, and say what the papers say."""

from __future__ import annotations

import math
from pathlib import Path

import inrvid_mocogan
import pytest

from inrvid import load_recipe

RECIPES = {path.stem: path for path in (Path(inrvid_mocogan.__file__).parent / "recipes").glob("*.yaml")}
SG2 = {
    "generator.type": "stylegan2", "generator.motion_input": "styles", "generator.motion.type": "lstm",
    "generator.motion.distance": 1.0, "generator.motion.code_dim": 512, "generator.channel_base": 16384,
    "discriminator.type": "mocogan_sg2", "discriminator.frames": 16, "discriminator.channel_base": 16384,
    "discriminator.video_channels": 64, "discriminator.noise": 0.1, "discriminator.video_lr": 0.1,
    "discriminator.padded": 0, "time_sampler.type": "consecutive", "time_sampler.max_frames": 16,
    "augment.type": "ada", "loss.type": "logistic", "loss.r1_gamma": 0.0002 * 256**2 / 16, "loss.r1_interval": 16,
    "optim.discriminator.lr": 0.0025, "train.batch_size": 16, "train.kclips": 25000 / 16, "train.ema_rampup": 0.05 * 16,
    "data.sampling": "videos", "data.xflip": True,
}  # fmt: skip
MOCOGAN = {
    "generator.type": "mocogan", "generator.resolution": 64, "generator.z_dim": 50, "generator.motion_dim": 10,
    "generator.motion.type": "gru", "generator.motion.code_dim": 10, "generator.label_dim": 0,
    "generator.channel_base": 64 * 32, "generator.channel_max": 64 * 8, "generator.init": "release",
    "discriminator.type": "mocogan", "discriminator.image": "patch", "discriminator.video": "categorical",
    "discriminator.channel_base": 64 * 32, "discriminator.channel_max": 64 * 8, "discriminator.noise": 0.1,
    "discriminator.frames": 16, "time_sampler.type": "consecutive", "time_sampler.max_frames": 16,
    "data.stride": 2, "data.sampling": "videos", "data.xflip": False, "augment.type": "none", "loss.type": "mocogan",
    "train.batch_size": 32, "train.kclips": 3200.0, "train.ema_kclips": 0.0,
    **{f"optim.{network}.{key}": value for network in ("generator", "discriminator") for key, value in
       {"lr": 0.0002, "betas": [0.5, 0.999], "weight_decay": 1e-5, "eps": 1e-8, "lazy_interval": 0}.items()},
}  # fmt: skip
WITHOUT_G = {key: value for key, value in SG2.items() if key.startswith("generator.")} | {
    "discriminator.type": "hypernetwork", "discriminator.modulated": True, "train.kclips": 25000 / 3,
    "time_sampler.type": "random_distance", "train.batch_size": 64,
}  # fmt: skip
WITHOUT_D = {key: value for key, value in SG2.items() if key.startswith("discriminator.")} | {
    "generator.motion_input": "constant", "generator.motion.type": "conv1d", "train.kclips": 25000 / 16,
    "train.batch_size": 64, "loss.r1_gamma": 0.2048, "time_sampler.type": "consecutive", "train.ema_rampup": 0.8,
}  # fmt: skip
JELLY = {"generator.fps": 30.0, "data.source_fps": 30.0}
EXPECTED = {
    "mocogan_sg2_ffs": SG2, "mocogan_sg2_sky": SG2 | {"data.type": "frames"},
    "mocogan_sg2_ucf": SG2 | {"data.type": "ucf101", "generator.label_dim": 0},
    "mocogan_sg2_rainbow_jelly": SG2 | JELLY,
    "mocogan_ucf": MOCOGAN | {"data.type": "ucf101", "generator.fps": 12.5}, "mocogan_ffs": MOCOGAN,
    "mocogan_sky": MOCOGAN, "mocogan_rainbow_jelly": MOCOGAN | JELLY | {"generator.fps": 15.0},
    "stylegan_v_ffs_without_g": WITHOUT_G, "stylegan_v_ffs_without_d": WITHOUT_D,
    "stylegan_v_sky_without_g": WITHOUT_G | {"data.type": "frames"},
    "stylegan_v_sky_without_d": WITHOUT_D | {"generator.motion.distance": 256.0},
}  # fmt: skip
SMALL = {"mocogan_landscapes_64", "mocogan_sg2_landscapes_32"}
SCORES = {
    "mocogan_sg2_ffs": {"fvd16": 55.62, "fvd128": 309.3}, "mocogan_sg2_sky": {"fvd16": 85.88, "fvd128": 272.8},
    "mocogan_sg2_ucf": {"fvd16": 1821, "fvd128": 2311, "is": 15.26},
    "mocogan_sg2_rainbow_jelly": {"fvd16": 638.5, "fvd128": 463.0},
    "mocogan_ffs": {"fvd16": 124.7, "fvd128": 257.3}, "mocogan_sky": {"fvd16": 206.6, "fvd128": 575.9},
    "mocogan_rainbow_jelly": {"fvd16": 1572.9, "fvd128": 549.7}, "mocogan_ucf": {"is": 12.42},
}  # fmt: skip
"""What the papers publish."""


def value(data, path):
    for key in path.split("."):
        data = data[key]
    return data


def test_every_recipe_is_looked_at():
    assert set(RECIPES) == set(EXPECTED) | SMALL


@pytest.mark.parametrize("name", EXPECTED)
def test_numbers(name):
    recipe = load_recipe(RECIPES[name])
    resolved = recipe.to_dict()
    found = {path: value(resolved, path) for path in EXPECTED[name]}
    wrong = {path: found[path] for path, wanted in EXPECTED[name].items() if not same(found[path], wanted)}
    assert wrong == {}
    assert recipe.name == name
    assert (recipe.paper.scores if recipe.paper else {}) == SCORES.get(name, {})


def same(found, wanted):
    return math.isclose(found, wanted, rel_tol=1e-6) if isinstance(wanted, float) else found == wanted


@pytest.mark.parametrize("name", sorted(SMALL))
def test_small_recipes_draw_what_their_discriminators_judge(name):
    recipe = load_recipe(name)
    assert recipe.data.type == "procedural"
    assert recipe.time_sampler.frames == recipe.discriminator.frames == 16
    text = RECIPES[name].read_text(encoding="utf-8")
    assert all(f"# {head}:" in text for head in ("Source", "Data", "Time", "Score"))
