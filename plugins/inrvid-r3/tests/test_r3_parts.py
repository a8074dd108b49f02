"""What every loss has to do."""

from __future__ import annotations

import pytest

from inrvid import load_recipe
from inrvid.testing import conformance


class TestRelativistic(conformance("losses", "relativistic")):
    pass


class TestFiniteDifferences(
    conformance("losses", "relativistic", small={"penalty": "finite_differences", "generated_interval": 2})
):
    pass


@pytest.mark.parametrize("name", ["r3_digan_landscapes_32", "r3_stylegan_v_landscapes_32"])
def test_recipes(name):
    """β1 = 0, no correction for lazy penalties, and all that changes arrives at one moment."""
    recipe = load_recipe(name)
    assert (recipe.name, recipe.loss.type) == (name, "relativistic")
    ways = [recipe.loss.gamma, recipe.train.ema_kclips]
    for optimizer in (recipe.optim.generator, recipe.optim.discriminator):
        assert optimizer.betas[0] == optimizer.lazy_interval == 0
        ways += [optimizer.lr, optimizer.betas[1]]
    assert len({way.kclips for way in ways}) == 1
    assert ways[0].kclips < recipe.train.kclips


def test_no_interval_is_inherited():
    """A change of type keeps keys that the new type has, too: lazy R1's interval is none of its own."""
    loss = load_recipe("quickstart", ["loss.type=relativistic"]).loss
    assert (loss.real_interval, loss.generated_interval) == (1, 1)
