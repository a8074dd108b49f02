"""The Fréchet distance: golden values, closed forms, degenerate covariances."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from inrvid.errors import InrvidError
from inrvid.evaluation.gaussians import frechet_distance, frechet_distance_of_few, gaussian

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics_a.safetensors"


@pytest.mark.parametrize(("unbiased", "key"), [(False, "frechet_population_cov"), (True, "frechet_sample_cov")])
def test_golden_distances(unbiased, key):
    with safe_open(GOLDEN, "pt") as file:
        expected = json.loads(file.metadata()["expected"])[key]
        real, fake = (gaussian(file.get_tensor(f"features_{name}"), unbiased) for name in ("real", "fake"))
    assert frechet_distance(*real, *fake) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(*fake, *real) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize("samples", [(5, 9), (20, 12), (100, 80)])
def test_distance_of_few_samples_is_the_same(samples, unbiased):
    draws = torch.Generator().manual_seed(0)
    mixing = torch.randn(64, 64, generator=draws).double()
    first, second = (torch.randn(n, 64, generator=draws).double() @ mixing + n for n in samples)
    expected = frechet_distance(*gaussian(first, unbiased), *gaussian(second, unbiased))
    assert frechet_distance_of_few(first, second, unbiased) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance_of_few(first, first, unbiased) < 1e-6 * gaussian(first, unbiased)[1].trace()


@pytest.mark.parametrize("samples", [8, 500])  # fewer and more than features
def test_identical_sets_are_at_distance_zero(samples):
    features = torch.randn(samples, 64, generator=torch.Generator().manual_seed(0)) * torch.logspace(-4, 2, 64)
    mean, cov = gaussian(features, unbiased=True)
    distance = frechet_distance(mean, cov, mean, cov)
    assert 0 <= distance < 1e-6 * cov.trace()


def test_diagonal_covariances_have_a_closed_form():
    mean1, mean2 = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 0.0, 3.5])
    var1, var2 = torch.tensor([4.0, 1.0, 0.0]), torch.tensor([1.0, 9.0, 2.25])
    expected = (mean1 - mean2).square().sum() + (var1.sqrt() - var2.sqrt()).square().sum()
    assert frechet_distance(mean1, var1.diag(), mean2, var2.diag()) == pytest.approx(expected.item())


def test_gaussian_divides_by_n_or_n_minus_1():
    features = torch.tensor([[0.0, 1.0], [2.0, 5.0]])
    mean, cov = gaussian(features, unbiased=False)
    assert mean.tolist() == [1, 3]
    assert cov.tolist() == [[1, 2], [2, 4]]
    assert torch.equal(gaussian(features, unbiased=True)[1], 2 * cov)
    assert cov.dtype == torch.float64


@pytest.mark.parametrize("shape", [(1, 4), (5,)])
def test_too_few_samples_are_refused(shape):
    with pytest.raises(InrvidError, match="at least 2 clips"):
        gaussian(torch.zeros(shape), unbiased=True)
