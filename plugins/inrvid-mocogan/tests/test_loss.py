"""The phases of MoCoGAN's loss, played by the library's training."""

from __future__ import annotations

import math

import pytest
import torch
from inrvid_mocogan.loss import Judged, MocoganLoss, cross_entropy, towards

from inrvid import InrvidError
from inrvid.plugins import registry

B, T = 4, 13


class Turn:
    """What a phase sees, from tensors; the discriminator of frames says each frame's mean."""

    def __init__(self, frames, moves):
        self.frames, self.moves, self.judged = frames, moves, {}
        self.times, self.grad = [], []


def logits(value, classes=0):
    return Judged(torch.full((B, 4, 4), value), torch.full((B, 1, 2), value), torch.zeros(B, classes, 2))


@pytest.mark.parametrize(("value", "expected"), [(0.0, math.log(2)), (20.0, 0.0)])
def test_each_judge_is_a_mean_and_they_are_added(value, expected):
    loss = MocoganLoss(MocoganLoss.Config())
    label = torch.zeros(B, 0)
    assert towards(1, logits(value)).item() == pytest.approx(2 * expected, abs=1e-6)
    assert loss.generator(logits(value), label).item() == pytest.approx(2 * expected, abs=1e-6)
    both = loss.discriminator(logits(value), logits(-value), label).item()
    assert both == pytest.approx(4 * expected, abs=1e-6)


def test_classes_are_of_real_clips_for_d_and_of_generated_ones_for_g():
    label = torch.eye(3)[torch.tensor([0, 1, 2, 1])]
    certain = Judged(*logits(0.0)[:2], (label * 50)[..., None].expand(-1, -1, 2))
    unsure = logits(0.0, classes=3)
    loss = MocoganLoss(MocoganLoss.Config(categories=True, infogan=True))
    assert loss.discriminator(certain, unsure, label).item() == pytest.approx(4 * math.log(2))
    assert loss.discriminator(unsure, certain, label).item() == pytest.approx(4 * math.log(2) + math.log(3))
    assert loss.generator(unsure, label).item() == pytest.approx(2 * math.log(2) + math.log(3))
    with pytest.raises(InrvidError, match="categorical"):
        cross_entropy(logits(0.0).classes, label)


def test_is_the_only_loss_of_that_name():
    assert registry("losses").component("mocogan") is MocoganLoss
