"""PSNR and SSIM: figures of scikit-image (Gaussian window, σ 1.5, population covariances), and what must hold."""

from __future__ import annotations

import numpy as np
import pytest

from inrvid import InrvidError
from inrvid.applications.similarity import HIGHEST, psnr, ssim


@pytest.fixture
def pictures():
    y, x = np.mgrid[0:40, 0:48]
    one = np.stack([127 + 100 * np.sin(x / 5 + y / 7), 5 * x + y % 3, (x * y) % 251], axis=-1)
    other = one + 30 * np.cos(x / 3)[..., None] + np.array([4, -9, 0])
    return tuple(np.clip(p, 0, 255).astype(np.uint8)[None] for p in (one, other))


def test_figures_of_scikit_image(pictures):
    assert ssim(*pictures)[0] == pytest.approx(0.7652814550644657, abs=1e-9)
    assert psnr(*pictures)[0] == pytest.approx(21.310257405800485, abs=1e-9)


def test_of_each_picture_alone(pictures):
    one, other = pictures
    both = ssim(np.concatenate([one, one]), np.concatenate([one, other]))
    assert both[0] == pytest.approx(1)
    assert both[1] == ssim(one, other)[0]
    assert psnr(one, one)[0] == HIGHEST
    assert ssim(one, other) == ssim(other, one)


def test_smaller_than_the_window():
    with pytest.raises(InrvidError, match="8x20 are smaller than its window"):
        ssim(np.zeros((1, 8, 20, 3), np.uint8), np.zeros((1, 8, 20, 3), np.uint8))
