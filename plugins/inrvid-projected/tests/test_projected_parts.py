"""What every part of its kind has to do."""

from __future__ import annotations

import pytest

from inrvid import load_recipe
from inrvid.testing import conformance


class TestProjected(conformance("discriminators", "projected")):
    pass


class TestHinge(conformance("losses", "hinge", small={"r1_gamma": 1.0})):
    pass


@pytest.mark.parametrize(
    "name",
    [
        "projected_digan_landscapes_32",
        "projected_stylegan_v_landscapes_32",
        "projected_stylegan_v_landscapes_64",
    ],
)
def test_recipes(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert (recipe.discriminator.type, recipe.loss.type) == ("projected", "hinge")
    assert recipe.discriminator.size == 2 * recipe.generator.resolution
