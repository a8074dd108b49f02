"""Diagnostics: each number says what its name says, and no other does."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from inrvid.errors import InrvidError
from inrvid.registry import registry


def diagnostics(frames: Tensor) -> dict[str, float]:
    """Of one clip `[T, 3, H, W]`."""
    detector = registry("detectors").build({"type": "diagnostics"})
    found = detector.features(frames[None])
    assert found.shape == (1, len(detector.parts))
    return {name: found[0, columns].item() for name, columns in detector.parts.items()}


def texture(seed: int = 0, side: int = 32) -> Tensor:
    return torch.rand(3, side, side, generator=torch.Generator().manual_seed(seed)) - 0.5


def wandering(frames: int, seed: int = 0) -> Tensor:
    """Smooth motion that never comes back: frames are mixed from pictures along a path of smooth random steps."""
    draws = torch.Generator().manual_seed(seed)
    path = torch.randn(frames, 8, generator=draws).cumsum(0).cumsum(0)
    path = (path - path.mean(0)) / path.std(0)
    return torch.einsum("tk,kchw->tchw", path, torch.randn(8, 3, 16, 16, generator=draws)) / 20


def waves(frames: int, period: float) -> Tensor:
    t, x = torch.arange(frames)[:, None], torch.arange(32)
    return 0.5 * torch.sin(2 * math.pi * (x / 16 - t / period))[:, None, None].expand(frames, 3, 32, 32)


def test_still_clip_has_nothing_but_sharpness():
    found = diagnostics(texture().expand(32, 3, 32, 32))
    assert found["motion"] == found["flicker"] == found["periodicity"] == 0
    assert found["sharpness"] > 0.1


def test_a_still_clip_s_rounding_is_no_repeat():
    draws = torch.Generator().manual_seed(0)
    rounding = (torch.rand(32, 3, 32, 32, generator=draws) < 0.5) * (torch.arange(32) % 2)[:, None, None, None] / 255
    assert diagnostics(texture() + rounding)["periodicity"] < 0.25


def test_motion_is_the_mean_change():
    steps = torch.arange(16)[:, None, None, None] * 0.05
    assert diagnostics(texture() + steps)["motion"] == pytest.approx(0.05, rel=1e-4)


@pytest.mark.parametrize("times", [1, 3])
def test_flicker_is_change_that_is_undone(times):
    """A flash every second frame is all flicker; what brightens at any pace, or steps, has none."""
    flashing = texture() + 0.2 * times * (torch.arange(16) % 2)[:, None, None, None]
    found = diagnostics(flashing)
    assert found["flicker"] == pytest.approx(found["motion"], rel=1e-4)
    assert found["motion"] == pytest.approx(0.2 * times, rel=1e-4)
    brightening = texture() + 0.01 * torch.arange(16)[:, None, None, None] ** 1.5
    step = texture() + (torch.arange(16) > 7)[:, None, None, None] * 0.3
    for frames in (brightening, step):
        assert diagnostics(frames)["flicker"] < 1e-6


def test_noise_flickers_and_shuffling_does():
    smooth = waves(32, period=40)
    before = diagnostics(smooth)
    assert before["flicker"] < 0.02 * before["motion"]
    order = torch.randperm(32, generator=torch.Generator().manual_seed(0))
    assert diagnostics(smooth[order])["flicker"] > 0.2 * diagnostics(smooth[order])["motion"]
    noisy = smooth + 0.1 * torch.randn(smooth.shape, generator=torch.Generator().manual_seed(0))
    assert diagnostics(noisy)["flicker"] > 0.03


@pytest.mark.parametrize("period", [8, 12, 31, 64])
def test_what_repeats_is_periodic(period):
    once = wandering(period)
    found = diagnostics(once.repeat(20, 1, 1, 1)[:128])["periodicity"]
    assert 0.99 < found <= 1


@pytest.mark.parametrize("period", [10, 25.6, 50])
def test_a_wave_is_periodic(period):
    assert diagnostics(waves(128, period))["periodicity"] > 0.98


def test_what_does_not_repeat_is_not():
    drifting = texture() + torch.arange(128)[:, None, None, None] / 128
    turning = torch.lerp(texture(1), texture(2), torch.linspace(0, 1, 128)[:, None, None, None])
    for frames in (drifting, turning, waves(128, 300), 2 * torch.rand(128, 3, 32, 32) - 1):
        assert diagnostics(frames)["periodicity"] < 0.05
    assert sum(diagnostics(wandering(128, seed))["periodicity"] for seed in range(5)) / 5 < 0.3


def test_blur_is_less_sharp():
    sharp = texture()
    blurred = torch.nn.functional.avg_pool2d(sharp[None], 3, 1, 1)[0]
    found = [diagnostics(frames.expand(16, 3, 32, 32))["sharpness"] for frames in (sharp, blurred)]
    assert found[1] < 0.5 * found[0]


def test_clips_too_short_for_a_repeat_are_refused():
    with pytest.raises(InrvidError, match="at least 16 frames"):
        diagnostics(texture().expand(15, 3, 32, 32))


def test_clips_do_not_know_each_other():
    detector = registry("detectors").build({"type": "diagnostics"})
    clips = torch.stack([wandering(20, seed) for seed in range(6)])
    torch.testing.assert_close(detector.features(clips)[4:5], detector.features(clips[4:5]))
