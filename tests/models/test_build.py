"""Building, and what it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from inrvid.models.build import build_discriminator, build_generator, shapes

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
