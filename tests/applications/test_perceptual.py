"""Distances of frames: LPIPS's definition, and pixels where there is no network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from inrvid import InrvidError
from inrvid.applications.perceptual import MOST_SIDE, Features, Pixels, open_distance
from inrvid.evaluation.detectors.base import NotHere


class TwoMaps(nn.Module):
    """Two 'feature maps': the frames, and their means over 2 × 2 pixels, without their blue."""

    def maps(self, frames: Tensor) -> list[Tensor]:
        return [frames, nn.functional.avg_pool2d(frames[:, :2], 2)]


def frames(count: int, side: int = 16) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(count)) * 2 - 1


def test_lpips_by_its_definition():
    weights = [torch.tensor([1.0, 2.0, 0.5]), torch.tensor([0.25, 4.0])]
    distance = Features("two", TwoMaps(), weights, least=16, side=16, pixels=0.0)
    first, second = frames(2), frames(3)[1:]
    expected = torch.zeros(2)
    for a, b, w in zip(TwoMaps().maps(first), TwoMaps().maps(second), weights, strict=True):
        apart = nn.functional.normalize(a, dim=1) - nn.functional.normalize(b, dim=1)
        expected += (apart.square() * w.view(-1, 1, 1)).sum(1).mean((1, 2))
    torch.testing.assert_close(distance(first, second), expected, rtol=1e-4, atol=1e-6)


def test_pixels_are_added():
    alone, both = (Features("two", TwoMaps(), [1.0, 1.0], least=16, side=16, pixels=p) for p in (0.0, 3.0))
    first, second = frames(2), frames(3)[1:]
    torch.testing.assert_close(both(first, second), alone(first, second) + 3 * Pixels(16)(first, second))
    assert "3 × pixels" in both.said


def test_small_frames_are_enlarged_and_large_ones_reduced():
    sizes = []

    class Watching(TwoMaps):
        def maps(self, frames: Tensor) -> list[Tensor]:
            sizes.append(tuple(frames.shape[-2:]))
            return super().maps(frames)

    distance = Features("two", Watching(), [1.0, 1.0], least=40, side=16, pixels=0.0)
    distance.maps(frames(1))
    distance.maps(torch.zeros(1, 3, 2 * MOST_SIDE, 4 * MOST_SIDE))
    assert sizes == [(48, 48), (MOST_SIDE, 2 * MOST_SIDE)]


def test_one_set_serves_many():
    """Of starts × videos with the videos' own maps."""
    distance, first, second = Pixels(16), frames(6), frames(3)
    together = distance.between(distance.maps(first), distance.maps(second))
    apart = torch.cat([distance(part, second) for part in first.split(3)])
    torch.testing.assert_close(together, apart)


def test_pixels_know_colour_and_edges():
    distance = Pixels(16)
    grey, lighter = torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.2)
    checks = 0.2 * (torch.arange(16)[:, None] + torch.arange(16)).remainder(2).mul(2).sub(1).expand(1, 3, 16, 16)
    assert float(distance(grey, grey)) == 0
    # Of the two scales, both see the colour, and no gradient does: 3 channels · 0.04 · 2 maps of 6.
    assert float(distance(grey, lighter)) == pytest.approx(3 * 0.04 * 2 / 6)
    assert float(distance(grey, checks)) > 2 * float(distance(grey, lighter))


def test_same_features_have_a_gradient():
    """Of a frame without anything in it, too."""
    distance = Features("two", TwoMaps(), [1.0, 1.0], least=16, side=16, pixels=0.0)
    black = torch.zeros(1, 3, 16, 16, requires_grad=True)
    distance(black, frames(1)).sum().backward()
    assert black.grad is not None
    assert black.grad.isfinite().all()


def test_without_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path))
    assert open_distance("auto", side=32).name == "pixels"
    with pytest.raises(NotHere, match="inrvid detectors fetch vgg16"):
        open_distance("vgg16", side=32)
    with pytest.raises(InrvidError, match="Did you mean 'vgg16'"):
        open_distance("vgg19", side=32)
