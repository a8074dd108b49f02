from __future__ import annotations

import torch

from inrvid.random import Draws


def test_rows_do_not_depend_on_the_batch():
    whole = Draws.of_batch(7, "x", 3, range(6))
    part = Draws.of_batch(7, "x", 3, [4, 2])
    a, b = whole.normal(5), part.normal(5)
    assert torch.equal(a[[4, 2]], b)
    assert torch.equal(whole.uniform(2, 3)[[4, 2]], part.uniform(2, 3))
    high = torch.tensor([10, 20, 30, 40, 50, 60])
    assert torch.equal(whole.integers(high)[[4, 2]], part.integers(high[[4, 2]]))


def test_every_part_of_the_key_counts():
    keys = [(7, "x", 3, 4), (8, "x", 3, 4), (7, "y", 3, 4), (7, "x", 4, 4), (7, "x", 3, 5)]
    values = torch.stack([Draws.of_batch(s, p, t, [i]).uniform(4)[0] for s, p, t, i in keys])
    assert len({tuple(row.tolist()) for row in values}) == len(keys)


def test_streams_do_not_overlap():
    """Steps and samples are apart in the counter: a long stream of one never runs into the next."""
    long = Draws.of_batch(0, "x", 0, [0]).uniform(100_000)[0]
    other = Draws.of_batch(0, "x", 0, [1]).uniform(8)[0]
    windows = long.unfold(0, 8, 1)
    assert not (windows == other).all(dim=1).any()


def test_distributions_and_global_state():
    state = torch.random.get_rng_state()
    draws = Draws.of_batch(0, "x", 0, range(1000))
    uniform, normal = draws.uniform(20), draws.normal(20)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.01
    assert abs(normal.mean()) < 0.02
    assert abs(normal.std() - 1) < 0.02
    integers = draws.integers(torch.full((1000,), 3))
    assert set(integers.tolist()) == {0, 1, 2}


def test_any_integer_is_a_seed_of_its_own():
    seeds = [0, -1, -5, 2**53, 2**53 + 1, 2**63, 2**64 - 2]
    rows = Draws.of_seeds(seeds, "x").normal(4)
    assert len({tuple(row.tolist()) for row in rows}) == len(seeds)


def test_empty_batch():
    assert Draws.of_batch(0, "x", 0, []).normal(4).shape == (0, 4)
