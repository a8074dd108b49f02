"""Distances of plain arrays: golden values, closed forms, what has no effect, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from inrvid.errors import InrvidError
from inrvid.evaluation import distances, frechet_distance, inception_score, kernel_distance, precision_recall
from inrvid.registry import registry

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics_a.safetensors"
BETWEEN = [frechet_distance, kernel_distance, precision_recall]


def golden(name: str) -> Tensor:
    with safe_open(GOLDEN, "pt") as file:
        return file.get_tensor(name)


def expected() -> dict[str, float]:
    with safe_open(GOLDEN, "pt") as file:
        return json.loads(file.metadata()["expected"])


def normal(count: int, width: int = 16, seed: int = 0) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("as_array", [lambda x: x, Tensor.numpy])
def test_golden(as_array):
    real, fake = as_array(golden("features_real")), as_array(golden("features_fake"))
    found = {
        "frechet_sample_cov": frechet_distance(real, fake),
        "frechet_population_cov": frechet_distance(real, fake, unbiased=False),
        "kvd_poly3_unbiased": kernel_distance(real, fake),
        **dict(
            zip(
                ("inception_score_mean", "inception_score_std"),
                inception_score(as_array(golden("probs")), splits=10),
                strict=True,
            )
        ),
    }
    assert found == {name: pytest.approx(value, rel=1e-9) for name, value in expected().items() if name in found}
    assert len(found) == 5


@pytest.mark.parametrize("distance", BETWEEN)
def test_the_order_of_clips_has_no_effect(distance):
    real, fake = normal(300), 1.2 * normal(200, seed=1) + 0.1
    shuffled = fake[torch.randperm(200, generator=torch.Generator().manual_seed(2))]
    assert distance(real, shuffled) == pytest.approx(distance(real, fake), rel=1e-9)


@pytest.mark.parametrize("distance", BETWEEN)
def test_blocks_have_no_effect(distance, monkeypatch):
    real, fake = normal(50), 1.2 * normal(37, seed=1) + 0.1
    whole = distance(real, fake)
    monkeypatch.setattr(distances, "BLOCK", 7)
    assert distance(real, fake) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("samples", [8, 500])  # fewer and more than features
def test_identical_sets(samples):
    features = normal(samples, 64) * torch.logspace(-4, 2, 64)
    assert 0 <= frechet_distance(features, features) < 1e-6 * features.var(0).sum()
    assert precision_recall(features, features) == (1, 1)


def test_kernel_distance_is_the_sum_over_pairs():
    real, fake = normal(5, 3), normal(4, 3, seed=1)

    def k(x, y):
        return (float(x @ y) / 3 + 1) ** 3

    def within(a):
        return np.mean([k(a[i], a[j]) for i in range(len(a)) for j in range(len(a)) if i != j])

    across = np.mean([k(x, y) for x in real for y in fake])
    assert kernel_distance(real, fake) == pytest.approx(within(real) + within(fake) - 2 * across, rel=1e-12)


def test_kernel_distance_has_no_bias():
    """Of two sets of one distribution it is as often below 0 as above, whatever their size."""
    signs = [kernel_distance(normal(8, 4, seed=2 * i), normal(8, 4, seed=2 * i + 1)) > 0 for i in range(200)]
    assert 0.3 < np.mean(signs) < 0.6  # its distribution is skewed; the biased estimate is above 0 always


def test_inception_score_of_extremes():
    assert inception_score(torch.full((40, 8), 1 / 8)) == pytest.approx((1, 0))
    assert inception_score(torch.eye(8).repeat(10, 1)) == pytest.approx((8, 0))


def test_inception_score_splits_neighbours():
    certain, even = torch.eye(4).repeat(3, 1), torch.full((12, 4), 1 / 4)
    assert inception_score(torch.cat([certain, even]), splits=2) == pytest.approx((2.5, 1.5))


def test_precision_and_recall_by_hand():
    """Balls around 0, 1, 3 and 10 on a line, to the second neighbour: radii 3, 2, 3, 9."""
    real = torch.tensor([[0.0], [1.0], [3.0], [10.0]])
    fake = torch.tensor([[-3.0], [-3.1], [18.9], [19.1], [-2.9]])
    assert precision_recall(real, fake, k=2).precision == pytest.approx(3 / 5)
    # Radii of the fakes, to the second neighbour: 0.1, 0.2, 21.8, 22, 0.2. All real points are within 19 of 18.9.
    assert precision_recall(real, fake, k=2).recall == 1
    assert precision_recall(fake, real, k=2) == (1, pytest.approx(3 / 5))


def test_a_generator_of_one_mode_has_precision_and_no_recall():
    real = torch.cat([normal(100), normal(100, seed=1) + 50])
    found = precision_recall(real, normal(100, seed=2))
    assert found.precision > 0.5
    assert found.recall < 0.55


@pytest.mark.parametrize("distance", BETWEEN)
@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (torch.zeros(1, 4), torch.zeros(9, 4), "at least"),
        (torch.zeros(9), torch.zeros(9, 4), r"expected an array \[N, n\]"),
        (torch.zeros(9, 4), torch.zeros(9, 5), "different widths: 4 real, 5 fake"),
        (torch.zeros(9, 4), torch.full((9, 4), torch.nan), "fake features: .* finite"),
    ],
)
def test_unfit_features_are_refused(distance, real, fake, message):
    with pytest.raises(InrvidError, match=message):
        distance(real, fake)


@pytest.mark.parametrize(
    ("rows", "message"),
    [(torch.ones(20, 4), "sum 1"), (torch.tensor([[2.0, -1.0]] * 20), "≥ 0"), (torch.ones(5, 1), "as many samples")],
)
def test_what_are_no_probabilities_is_refused(rows, message):
    with pytest.raises(InrvidError, match=message):
        inception_score(rows)


def test_precision_needs_a_neighbour():
    with pytest.raises(InrvidError, match="from 1"):
        precision_recall(normal(9), normal(9), k=0)


def test_the_package_is_imported_without_torch():
    code = "import sys, inrvid.evaluation; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_covariances_are_of_the_kind_that_is_asked_for():
    real, fake = torch.randn(9, 3).double(), torch.randn(7, 3).double() + 1
    for unbiased in (True, False):
        metric = registry("metrics").build({"type": "statistics", "unbiased": unbiased})
        found = metric.score(real, fake, {"": slice(None)})[""]
        assert found == pytest.approx(frechet_distance(real, fake, unbiased=unbiased))


def test_the_neighbour_is_the_one_that_is_asked_for():
    real, fake = torch.randn(30, 3).double(), torch.randn(30, 3).double() + 1
    metric = registry("metrics").build({"type": "precision_recall", "k": 5})
    assert tuple(metric.score(real, fake, {"": slice(None)}).values()) == precision_recall(real, fake, k=5)
    assert precision_recall(real, fake, k=5) != precision_recall(real, fake, k=3)
