"""Building, and what it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from inrvid import InrvidError, build_generator, load_recipe
from inrvid.models.build import _Undrawn, build_discriminator, shapes

from ..small import small_generator

RECIPES = ("digan_landscapes_32", "stylegan_v_landscapes_32", "cross_stylegan2_global_landscapes_32")


def test_building_loads_no_compiler():
    """PyTorch's takes longer to load than a small model."""
    code = (
        "import sys; from inrvid import build_discriminator, build_generator\n"
        f"for recipe in {RECIPES}: build_generator(recipe), build_discriminator(recipe)\n"
        "print('torch' in sys.modules, 'torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True False\n"


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("kind", "build"), [("generators", build_generator), ("discriminators", build_discriminator)])
def test_shapes_are_those_of_what_is_built(kind, build, recipe):
    built = build(recipe)
    planned = shapes(kind, built.config)
    state = built.state_dict()
    assert [*planned] == [*state]
    assert all(x.shape == state[name].shape and x.dtype == state[name].dtype for name, x in planned.items())
    assert all(x.device == torch.device("meta") for x in planned.values())


def test_numbers_on_a_device_of_their_own_are_drawn():
    """A constructor that looks at some of its numbers says where they are."""
    with torch.device("meta"), _Undrawn():
        drawn = torch.randn(1000, device="cpu", generator=torch.Generator().manual_seed(0))
        assert torch.randn(3, 2).is_meta
        assert torch.empty(3, 2).normal_().div_(2).is_meta
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.randn(1000))
    with _Undrawn():
        assert torch.equal(torch.ones(2, device="cpu").div_(2), torch.tensor([0.5, 0.5]))


def test_what_a_recipe_may_be():
    """Its name, itself, or what it was loaded from, which may extend another."""
    expected = build_generator(RECIPES[0]).config
    assert build_generator(load_recipe(RECIPES[0])).config == expected
    assert build_generator({"extends": RECIPES[0]}).config == expected
    assert build_discriminator({"extends": RECIPES[0]}).config == build_discriminator(RECIPES[0]).config


@pytest.mark.parametrize("source", [{}, {"resolution": 32}, {"type": 3}])
def test_what_describes_no_part_is_refused(source):
    with pytest.raises(InrvidError):
        build_generator(source)


def test_a_model_s_folder_is_no_recipe(tmp_path):
    with pytest.raises(InrvidError, match=r"a model's folder: VideoGenerator\.from_pretrained"):
        build_generator(tmp_path)


def test_latents_of_another_kind_are_told():
    G = build_generator(RECIPES[0])
    with pytest.raises(InrvidError, match=r"expected Latents, as G\.sample_latents gives them, got a Tensor"):
        G.inr(torch.randn(2, G.z_dim))
    with pytest.raises(InrvidError, match=r"count: expected a number of videos, got \[1, 5\]; .*seed=seeds"):
        G.sample_latents([1, 5])
    with pytest.raises(InrvidError, match=r"label: expected numbers of classes.*got 'cats'"):
        G.sample_latents(2, label="cats")
    wide = build_generator(load_recipe(RECIPES[0], {"generator.z_dim": 2 * G.z_dim}))
    with pytest.raises(InrvidError, match="Latents of another model"):
        G.inr(wide.sample_latents(2))


def test_seeds_of_weights():
    config = small_generator("inr_gan", "global")
    first, again, other = (next(build_generator(config, seed=seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
