"""Diversity and memorisation, by what they must say of sets that are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from inrvid.errors import InrvidError
from inrvid.evaluation.protocol import load_protocol
from inrvid.evaluation.uncertainty import spread_of_halves
from inrvid.registry import registry

PARTS = {"": slice(None)}


def drawn(count: int, seed: int, scale: float = 1.0, features: int = 20) -> Tensor:
    return scale * torch.randn(count, features, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def score(name: str, real: Tensor, fake: Tensor) -> float:
    return registry("metrics").build({"type": name}).score(real, fake, PARTS)[""]


def test_alike_sets_are_alike():
    real, fake = drawn(300, 0), drawn(300, 1)
    assert score("diversity", real, fake) == pytest.approx(1, abs=0.02)
    assert score("memorisation", real, fake) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("scale", [0.1, 0.5, 3.0])
def test_diversity_is_a_ratio_of_distances(scale):
    real = drawn(50, 0)
    assert score("diversity", real, scale * real + 7) == pytest.approx(scale)


def test_all_the_same_has_no_diversity():
    assert score("diversity", drawn(20, 0), drawn(1, 1).expand(30, -1)) == 0


def test_few_different_clips_have_less_diversity():
    real = torch.eye(20).double()  # all as far from each other
    assert score("diversity", real, real[:3].repeat(100, 1)) == pytest.approx(2 / 3, rel=0.01)  # pairs that differ


def test_copies_are_memorised():
    real = drawn(100, 0)
    assert score("memorisation", real, real[torch.randint(100, (60,))]) == 0
    near = real + drawn(100, 1, scale=0.01)
    assert score("memorisation", real, near) < 0.02


def test_memorisation_grows_with_the_share_that_is_new():
    real = drawn(200, 0)
    found = [score("memorisation", real, torch.cat([real[:n], drawn(200 - n, 1)])) for n in (200, 150, 100, 0)]
    assert found == sorted(found)
    assert found[1] == pytest.approx(0.25, abs=0.02)


def test_real_copies_change_nothing():
    """Data with doubles, and sets drawn with replacement."""
    real, fake = drawn(100, 0), drawn(100, 1)
    doubled = torch.cat([real, real])
    assert score("memorisation", doubled, fake) == pytest.approx(score("memorisation", real, fake))
    metric = registry("metrics").build({"type": "memorisation"})
    protocol, _ = load_protocol("inrvid")
    assert spread_of_halves(metric, real, fake, PARTS, protocol)[""] < 0.05


@pytest.mark.parametrize("name", ["diversity", "memorisation"])
def test_real_clips_all_the_same_are_no_unit(name):
    with pytest.raises(InrvidError, match="all the same"):
        score(name, torch.ones(5, 3), drawn(5, 0, features=3))


@pytest.mark.parametrize("name", ["diversity", "memorisation"])
def test_parts_are_scored_apart(name):
    metric = registry("metrics").build({"type": name, "detector": {"type": "statistics"}})
    found = metric.score(drawn(20, 0), drawn(20, 1), {"a": slice(0, 10), "b": slice(10, 20)})
    assert set(found) == {"a", "b"}
    assert all(math.isfinite(value) for value in found.values())
