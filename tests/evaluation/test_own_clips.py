"""Features of one's own tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inrvid import InrvidError
from inrvid.evaluation import clip_features, frechet_distance


def clips(count=20, seed=0):
    return torch.rand(count, 4, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def levels(x):
    return (x.movedim(2, -1) * 127.5 + 127.5).round().byte()


def test_floats_levels_and_batches_are_the_same():
    """Features of floats are of what a file would hold."""
    x = clips()
    found = clip_features(x, "statistics")
    assert found.dtype == torch.float64
    for same in (levels(x), levels(x).numpy(), x.numpy(), x.split(7), [*levels(x)[:, None]], x.requires_grad_()):
        torch.testing.assert_close(clip_features(same, {"type": "statistics"}), found, rtol=0, atol=1e-6)
    assert frechet_distance(found, found) < 1e-6
    assert frechet_distance(found, clip_features(clips(seed=1) * 0.5, "statistics")) > 1e-3


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (clips() * 127, r"got -127 to 127: 0 … 255 as uint8 go too"),
        (levels(clips()).movedim(-1, 2), r"got uint8 \[20, 4, 3, 16, 16\]"),
        (levels(clips()).float(), r"got float32 \[20, 4, 16, 16, 3\]"),
        (clips()[0], r"got float32 \[4, 3, 16, 16\]"),
        (clips() * float("nan"), "got nan to nan"),
        ([], "there are none"),
        (np.zeros((2, 4, 3, 16, 16), np.int64), r"got int64 \[2"),
    ],
)
def test_other_ranges_and_shapes_are_refused(wrong, told):
    with pytest.raises(InrvidError, match=told):
        clip_features(wrong, "statistics")
