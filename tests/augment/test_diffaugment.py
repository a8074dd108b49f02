from __future__ import annotations

import torch

from inrvid.augment.diffaugment import jitter, translate
from inrvid.random import Draws
from inrvid.registry import registry


def test_translation_moves_whole_pixels_and_fills_with_zeros():
    frames = torch.arange(1.0, 17).view(1, 1, 1, 4, 4).expand(3, 2, 3, -1, -1)
    moved = translate(frames, torch.tensor([[1, 0], [0, -2], [0, 0]]))
    assert torch.equal(moved[0, :, :, 1:], frames[0, :, :, :3])
    assert not moved[0, :, :, 0].any()
    assert torch.equal(moved[1, ..., :2], frames[1, ..., 2:])
    assert not moved[1, ..., 2:].any()
    assert torch.equal(moved[2], frames[2])


def test_colour_of_known_draws():
    frames = torch.rand(1, 2, 3, 8, 8) * 2 - 1
    neutral = torch.tensor([[0.5, 0.5, 0.5]])
    torch.testing.assert_close(jitter(frames, neutral), frames)
    torch.testing.assert_close(jitter(frames, torch.tensor([[0.9, 0.5, 0.5]])), frames + 0.4)
    grey = jitter(frames, torch.tensor([[0.5, 0.0, 0.5]]))
    torch.testing.assert_close(grey, frames.mean(dim=2, keepdim=True).expand_as(frames))
    flat = jitter(frames, torch.tensor([[0.5, 0.5, 0.0]]))
    mean = frames.mean(dim=(2, 3, 4), keepdim=True)
    torch.testing.assert_close(flat, mean + (frames - mean) / 2)


def test_translation_covers_its_range_evenly():
    augment = registry("augments").build({"type": "diffaugment", "policy": ["translation"]})
    frames = torch.zeros(4000, 1, 3, 16, 16)
    frames[..., 8, 8] = 1
    moved = augment.sample(Draws.of_batch(0, "x", 0, range(4000)), frames.device)(frames)
    places = moved[:, 0, 0].flatten(1).argmax(1)
    offsets = torch.stack([places // 16 - 8, places % 16 - 8])
    for axis in offsets:
        counts = torch.bincount(axis + 2, minlength=5)
        assert len(counts) == 5  # ±12.5 % of 16 pixels: −2 … 2
        assert (counts - 800).abs().max() < 130


def test_policy_of_one_does_not_change_the_other():
    frames = torch.rand(3, 2, 3, 16, 16)
    out = {}
    for policy in (["color"], ["translation"], ["color", "translation"]):
        augment = registry("augments").build({"type": "diffaugment", "policy": policy})
        out[len(policy), policy[0]] = augment.sample(Draws.of_batch(0, "x", 0, range(3)), frames.device)
    one_after_the_other = out[1, "translation"](out[1, "color"](frames))
    torch.testing.assert_close(out[2, "color"](frames), one_after_the_other)
