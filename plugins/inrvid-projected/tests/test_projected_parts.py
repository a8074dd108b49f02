"""What every part of its kind has to do."""

from __future__ import annotations

import pytest

from inrvid import load_recipe
from inrvid.testing import conformance


class TestProjected(conformance("discriminators", "projected")):
    pass


class TestHinge(conformance("losses", "hinge", small={"penalty_gamma": 1.0})):
    pass


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("projected_digan_landscapes_32", 64),
        ("projected_stylegan_v_landscapes_32", 64),
        ("projected_stylegan_v_landscapes_64", 128),
        ("projected_stylegan_v_hills_64", 64),
        ("projected_stylegan_v_hills_128", 128),
        ("projected_inr_conv1d_hills_64", 128),
        ("projected_stylegan_v_bunny_64", 128),
    ],
)
def test_recipes(name, size):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert (recipe.discriminator.type, recipe.loss.type) == ("projected", "hinge")
    assert recipe.discriminator.size == size
    assert recipe.generator.resolution == recipe.discriminator.resolution == int(name.rpartition("_")[2])


def test_no_penalty_is_inherited():
    """A change of type keeps keys that the new type has, too: R1's of another loss are none of its own."""
    recipe = load_recipe("quickstart", ["loss.type=hinge"])
    assert recipe.loss.penalty_gamma == 0
    assert load_recipe("projected_stylegan_v_landscapes_32").loss.penalty_gamma == 0
