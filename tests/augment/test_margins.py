from __future__ import annotations

import pytest
import torch

from inrvid.augment import transforms as tf
from inrvid.augment.warp import STEPS, margins


@pytest.mark.parametrize("angle", [0.0, 0.2, 0.7, 3.0])
def test_coarse_margins_hold_the_fine_ones(angle):
    """On a GPU: of few sizes, so that memory of the same sizes is found again."""
    inverse = tf.rotation(torch.tensor([angle])) @ tf.translation(torch.tensor([9.0]), torch.tensor([-4.0]))
    fine, coarse = margins(inverse, 64, 48), margins(inverse, 64, 48, coarse=True)
    for side, a, b in zip((48, 64, 48, 64), fine, coarse, strict=True):
        assert a <= b < side
        assert b % (side // STEPS) == 0 or b == side - 1
