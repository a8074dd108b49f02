"""The papers' numbers, and where they are silent their releases', against every resolved recipe."""

from __future__ import annotations

import math
import re
import runpy
import shlex
from pathlib import Path

import pytest
import torch
import typer

from benchmarks.__main__ import app as benchmarks
from inrvid import Grid, build_generator, load_recipe
from inrvid.cli import app
from inrvid.recipe.file import own_recipes
from inrvid.registry import registry

from ..small import small_generator

DOCS = Path(__file__).parents[2] / "docs"
PAGE = runpy.run_path(str(DOCS / "make_papers.py"))
ITEMS = [item for paper in PAGE["papers"]() for item in paper.items]

SMALL = {
    f"{kind}_{data}_{side}"
    for kind in ("digan", "stylegan_v")
    for data in ("landscapes", "bunny")
    for side in (64, 128)
} | {"digan_landscapes_32", "stylegan_v_landscapes_32"}
CROSSED = {
    "cross_stylegan2_global_landscapes_32",
    "cross_inr_conv1d_landscapes_32",
    "cross_inr_conv1d_landscapes_64",
    "cross_stylegan2_global_landscapes_64",
}
OURS = {"quickstart", *SMALL, *CROSSED}
"""Experiments of no paper."""


@pytest.mark.parametrize("name", sorted(name for name in OURS if "bunny" not in name))
def test_what_learns_drawn_videos_follows_the_rate_of_any_others(name):
    """A written rate would be kept with `--data` of another."""
    assert "fps" not in load_recipe(name).generator.model_fields_set


NO_EXPERIMENT = ("name", "description", "paper")
"""Keys on which no run depends."""

SHARED = {
    "optim.generator.lr": 0.0025, "optim.generator.betas": [0.0, 0.99], "optim.generator.eps": 1e-8,
    "optim.generator.lazy_interval": 4, "optim.discriminator.lr": 0.0025, "optim.discriminator.betas": [0.0, 0.99],
    "optim.discriminator.eps": 1e-8, "optim.discriminator.lazy_interval": 16, "train.batch_size": 64,
    "train.ema_kclips": 20.0, "train.micro_batch": None, "loss.type": "logistic", "loss.r1_interval": 16,
    "generator.z_dim": 512, "generator.w_dim": 512, "generator.mapping_layers": 2, "generator.channel_max": 512,
    "discriminator.channel_max": 512, "discriminator.mbstd_group": 4, "data.xflip": True,
}  # fmt: skip

DIGAN = {
    **SHARED,
    "generator.type": "inr_gan", "generator.resolution": 128, "generator.clip_length": 16, "generator.fps": 25.0,
    "generator.channel_base": 32768, "generator.input_resolution": 32, "generator.coord_dim": 128,
    "generator.fmm_rank": 10, "generator.coords.type": "fourier", "generator.coords.sigma": math.sqrt(10),
    "generator.motion.type": "global", "generator.motion.sigma_t": 0.25, "generator.motion.content": True,
    "generator.motion.noise": True, "generator.motion.nonlinear": True, "generator.label_dim": 0,
    "discriminator.type": "dual", "discriminator.channel_base": 32768, "discriminator.frames": 2,
    "discriminator.label_layers": 8, "time_sampler.type": "beta_pair", "augment.type": "diffaugment",
    "augment.policy": ["color", "translation"], "augment.max_translation": 0.125, "loss.r1_gamma": 1.0,
    "train.kclips": 25000.0, "train.ema_rampup": 0.05, "train.precision": "fp32", "data.sampling": "clips",
    "data.interpolation": "bilinear", "data.resize": "center_crop", "data.stride": 1,
}  # fmt: skip
FOLDERS = {"data.cut": "clips"}
AT_256 = {
    "generator.resolution": 256, "data.sampling": "videos", "data.cut": "whole", "data.interpolation": "bicubic",
}  # fmt: skip
"""As StyleGAN-V's authors trained DIGAN for their table 1."""

STYLEGAN_V = {
    **SHARED,
    "generator.type": "stylegan2", "generator.resolution": 256, "generator.channel_base": 16384,
    "generator.architecture": "skip", "generator.motion_input": "constant", "generator.motion_width": 512,
    "generator.motion.type": "conv1d", "generator.motion.distance": 16.0, "generator.motion.code_dim": 512,
    "generator.motion.kernel": 11, "generator.motion.min_period": 16.0, "generator.motion.max_period": 1024.0,
    "generator.motion.spacing": "log", "generator.label_dim": 0, "generator.fps": 25.0,
    "discriminator.type": "hypernetwork", "discriminator.frames": 3, "discriminator.channel_base": 16384,
    "discriminator.concat_resolution": 16, "discriminator.frame_channel_divisor": 2, "discriminator.modulated": True,
    "discriminator.projection": True, "discriminator.mapping_layers": 2, "discriminator.time_embedding_dim": 256,
    "discriminator.max_frames": 1024, "time_sampler.type": "random_distance", "time_sampler.max_frames": 1024,
    "time_sampler.max_distance": 32, "time_sampler.variant": "release", "augment.type": "ada", "augment.target": 0.6,
    "augment.speed_kclips": 100.0, "augment.interval": 4, "augment.initial": 0.0,
    "augment.operations": [
        "xflip", "rotate90", "xint", "scale", "rotate", "aniso", "xfrac",
        "brightness", "contrast", "lumaflip", "hue", "saturation",
    ],
    "loss.r1_gamma": 0.2048, "train.kclips": 25000 / 3, "train.ema_rampup": 0.15, "train.precision": "fp16",
    "data.sampling": "videos", "data.interpolation": "bicubic",
}  # fmt: skip
RELEASE = {"discriminator.modulated": False}
SKY = {"data.type": "frames", "generator.motion.distance": 256.0, "generator.motion.min_period": 256.0}
JELLY = {"generator.fps": 30.0, "data.source_fps": 30.0}
MEAD = {
    "generator.resolution": 1024, "generator.channel_base": 32768, "discriminator.channel_base": 32768,
    "generator.label_dim": 77, "generator.fps": 30.0, "data.source_fps": 30.0,
    "loss.r1_gamma": 0.0002 * 1024**2 / 64, "data.labels": True,
}  # fmt: skip
UCF = {"data.type": "ucf101", "data.split": "all"}


def count(k: int) -> dict:
    """25,000 thousand frames in clips of k, and the ramp of the moving average by frames."""
    return {"discriminator.frames": k, "train.kclips": 25000 / k, "train.ema_rampup": 0.05 * k}


def without(table: dict, *prefixes: str) -> dict:
    return {key: value for key, value in table.items() if not key.startswith(prefixes)}


def ablations(model: dict) -> dict[str, dict]:
    """Tables 2 and 3 of StyleGAN-V: each changes one thing of the default model."""
    lstm = without(model, "generator.motion.") | {"generator.motion.type": "lstm", "generator.motion.code_dim": 512}
    return {
        **{f"k{k}": model | count(k) for k in (2, 4, 8, 16)},
        "lstm_1": lstm | {"generator.motion.distance": 1.0},
        "lstm_16": lstm | {"generator.motion.distance": 16.0},
        "no_projection": model | {"discriminator.projection": False},
    }  # fmt: skip


IMAGE = without(STYLEGAN_V, "generator.motion.", "time_sampler.", "discriminator.max_frames") | count(1) | {
    "generator.motion.type": "static", "time_sampler.type": "random_distance", "discriminator.frame_channel_divisor": 1,
    "discriminator.modulated": False,
}  # fmt: skip
EXPECTED = {
    "digan_ucf": DIGAN | UCF | {"data.cut": "whole"},
    "digan_ucf_train_split": DIGAN | UCF | {"data.split": "train"},
    "digan_ucf_cond": DIGAN | UCF | {"generator.label_dim": 101, "data.labels": True},
    "digan_ucf_ablation_plain": DIGAN | UCF | {
        "generator.motion.sigma_t": math.sqrt(10), "generator.motion.noise": False, "generator.motion.nonlinear": False
    },
    "digan_ucf_ablation_sigma_t": DIGAN | UCF | {"generator.motion.noise": False, "generator.motion.nonlinear": False},
    "digan_ucf_ablation_z_m": DIGAN | UCF | {"generator.motion.nonlinear": False},
    "digan_ucf_motion_only": DIGAN | UCF | {"generator.motion.content": False},
    "digan_ucf_64f": DIGAN | UCF | {"generator.clip_length": 64},
    "digan_ucf_256": DIGAN | UCF | AT_256,
    "digan_ffs_256": DIGAN | AT_256 | {"data.type": "zip"},
    "digan_sky_256": DIGAN | AT_256 | {"data.type": "frames"},
    "digan_rainbow_jelly_256": DIGAN | AT_256 | JELLY | {"data.type": "zip"},
    "digan_sky": DIGAN | FOLDERS,
    "digan_kinetics_food": DIGAN | FOLDERS,
    "digan_taichi": DIGAN | FOLDERS | {"data.stride": 4},
    "digan_taichi_128f": DIGAN | FOLDERS | {
        "generator.clip_length": 128, "generator.motion.sigma_t": 0.5
    },
    "digan_taichi_256f": DIGAN | FOLDERS | {
        "generator.clip_length": 256, "generator.motion.sigma_t": 0.5
    },
    "digan_taichi_motion_only": DIGAN | FOLDERS | {
        "data.stride": 4, "generator.motion.content": False
    },
    "stylegan_v_ffs": STYLEGAN_V,
    "stylegan_v_ffs_release": STYLEGAN_V | RELEASE,
    "stylegan_v_ffs_paper": STYLEGAN_V | {"generator.motion.spacing": "linear", "time_sampler.variant": "paper"},
    **{f"stylegan_v_ffs_{name}": changed for name, changed in ablations(STYLEGAN_V).items()},
    **{f"stylegan_v_sky_{name}": changed for name, changed in ablations(STYLEGAN_V | SKY).items()},
    "stylegan_v_sky": STYLEGAN_V | SKY,
    "stylegan_v_sky_release": STYLEGAN_V | SKY | RELEASE,
    "stylegan_v_ucf": STYLEGAN_V | UCF,
    "stylegan_v_ucf_release": STYLEGAN_V | UCF | RELEASE,
    "stylegan_v_ucf_cond": STYLEGAN_V | UCF | {"generator.label_dim": 101, "data.labels": True},
    "stylegan_v_rainbow_jelly": STYLEGAN_V | JELLY,
    "stylegan_v_rainbow_jelly_release": STYLEGAN_V | JELLY | RELEASE,
    "stylegan_v_mead_1024": STYLEGAN_V | MEAD,
    "stylegan_v_mead_1024_release": STYLEGAN_V | MEAD | RELEASE,
    "stylegan2_image": IMAGE,
    "inr_gan_image": without(IMAGE, "generator.architecture", "generator.motion_") | {
        "generator.type": "inr_gan", "generator.channel_base": 32768, "train.precision": "fp32"
    },
    "cross_inr_conv1d_hypernetwork": without(
        DIGAN, "generator.motion.", "discriminator.", "time_sampler.", "augment."
    ) | count(3) | {
        "data.sampling": "videos", "data.cut": "whole", "generator.motion.type": "conv1d", "augment.type": "ada",
        "discriminator.type": "hypernetwork", "time_sampler.type": "random_distance", "loss.r1_gamma": 0.0512,
    },
    "cross_stylegan2_global_dual": without(
        DIGAN, "generator.type", "generator.coord", "generator.fmm", "generator.input", "generator.channel_base"
    ) | FOLDERS | {
        "generator.type": "stylegan2", "generator.channel_base": 16384, "data.stride": 4
    },
}  # fmt: skip


SCORES = {
    "digan_ffs_256": {"fvd16": 62.5, "fvd128": 1824.7}, "digan_sky_256": {"fvd16": 83.11, "fvd128": 196.7},
    "digan_ucf_256": {"fvd16": 1630, "fvd128": 2294}, "digan_rainbow_jelly_256": {"fvd16": 436.6, "fvd128": 369.0},
    "stylegan_v_ffs": {"fvd16": 47.41, "fvd128": 89.34, "fid": 9.445},
    "stylegan_v_sky": {"fvd16": 79.52, "fvd128": 197.0}, "stylegan_v_ffs_release": {"fvd16": 88.8, "fvd128": 161.5},
    "stylegan_v_ucf": {"fvd16": 1431, "fvd128": 1773, "is": 23.94},
    "stylegan_v_rainbow_jelly": {"fvd16": 195.4, "fvd128": 262.5}, "stylegan2_image": {"fid": 8.42},
    "stylegan_v_mead_1024": {"fid": 24.12, "fvd16": 156.1},
    "digan_ucf": {"fvd": 577, "is": 32.70}, "digan_ucf_train_split": {"fvd": 655, "is": 29.71},
    "digan_ucf_cond": {"is": 59.68, "fvd": 465, "kvd": 39.6}, "digan_ucf_motion_only": {"fvd": 596},
    "digan_ucf_ablation_plain": {"fvd": 686}, "digan_ucf_ablation_sigma_t": {"fvd": 640},
    "digan_ucf_ablation_z_m": {"fvd": 585}, "digan_sky": {"fvd": 114.6, "kvd": 6.8},
    "digan_taichi": {"fvd": 128.1, "kvd": 20.6}, "digan_kinetics_food": {"fvd": 313.3, "kvd": 183.0},
}  # fmt: skip
"""What the papers publish."""


def value(data: dict, path: str):
    for key in path.split("."):
        data = data[key]
    return data


def test_every_recipe_of_a_paper_is_in_the_table():
    assert set(own_recipes()) - OURS == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_numbers(name):
    resolved = load_recipe(name).to_dict()
    wrong = {path: value(resolved, path) for path, wanted in EXPECTED[name].items() if not same(resolved, path, wanted)}
    assert wrong == {}


def same(resolved: dict, path: str, wanted) -> bool:
    found = value(resolved, path)
    return math.isclose(found, wanted, rel_tol=1e-6) if isinstance(wanted, float) else found == wanted


def test_no_two_recipes_are_one_experiment():
    seen = {}
    for name in own_recipes():
        experiment = {k: part for k, part in load_recipe(name).to_dict().items() if k not in NO_EXPERIMENT}
        assert experiment not in seen.values(), f"{name} is {[n for n, other in seen.items() if other == experiment]}"
        seen[name] = experiment


def test_published_scores():
    papers = {name: load_recipe(name).paper for name in EXPECTED}
    assert {name: paper.scores for name, paper in papers.items() if paper and paper.scores} == SCORES


def test_the_page_is_up_to_date():
    made = (DOCS / "papers.md").read_text(encoding="utf-8")
    assert made == PAGE["page"](), "docs/papers.md is out of date: python docs/make_papers.py makes it anew"


def test_every_recipe_is_on_the_page_once():
    page = PAGE["page"]()
    assert {name: page.count(f"../recipes/{name}.yaml") for name in own_recipes()} == dict.fromkeys(own_recipes(), 1)


@pytest.mark.parametrize("command", [item.command for item in ITEMS if item.command])
def test_the_page_s_commands_exist(command):
    if command.startswith("python -m benchmarks "):
        typer.main.get_command(benchmarks).make_context("benchmarks", shlex.split(command)[3:])
    else:
        name, *arguments = shlex.split(command)
        assert name == "inrvid"
        group = typer.main.get_command(app)
        with group.make_context(name, list(arguments)) as context:
            subcommand = group.commands[arguments[0]]
            subcommand.make_context(arguments[0], arguments[1:], parent=context)
    for recipe in re.findall(r"runs/(\w+)/001|--recipe (\w+)", command):
        assert "".join(recipe) in own_recipes()


@pytest.mark.parametrize("expression", [item.python for item in ITEMS if item.python])
def test_the_page_s_expressions_work(expression):
    G = build_generator(small_generator("inr_gan", "global"))
    latents = G.sample_latents(2)
    with torch.no_grad():
        names = {"G": G, "latents": latents, "inr": G.inr(latents), "t": torch.arange(2), "Grid": Grid}
        assert eval(expression, names).ndim == 5


def test_defaults_of_the_papers():
    """Which no recipe of theirs says again."""

    def build(kind, name):
        return registry(kind).validate({"type": name})

    assert build("losses", "logistic").r1_interval == 16
    assert build("augments", "ada").speed_kclips == 100
    assert build("motions", "global").sigma_t == 0.25
    assert build("coords", "fourier").sigma == pytest.approx(10**0.5)
    assert build("generators", "inr_gan").extra_layers == {128: 1, 256: 1}
    assert build("datasets", "videos").sampling == "videos"
