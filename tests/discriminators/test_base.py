"""Logits that are none are refused, in words that name the class."""

from __future__ import annotations

import re

import pytest
import torch

from inrvid import build_discriminator
from inrvid.discriminators.base import Discriminator
from inrvid.errors import InrvidError

CONFIG = Discriminator.Config(type="own", resolution=8, clip_length=4)


def judging(logits):
    class Judge(Discriminator):
        def inputs(self, frames, t):
            return {"clip": frames}

        def heads(self, inputs, t, label):
            return logits

    return Judge(CONFIG)


@pytest.mark.parametrize(
    ("logits", "told"),
    [
        (torch.zeros(3), "Judge.heads gives a Tensor: expected a dict, by head"),
        ({"clip": torch.zeros(())}, r"Judge: head 'clip' gives logits of the shape \[\] for 3 clips"),
        ({"clip": torch.zeros(2)}, r"of the shape \[2\] for 3 clips: expected \[clips\], or"),
    ],
)
def test_logits_of_other_shapes_are_refused(logits, told):
    with pytest.raises(InrvidError, match=told):
        judging(logits)(torch.zeros(3, 2, 3, 8, 8), torch.zeros(3, 2), torch.zeros(3, 0))


def test_without_classes_the_label_may_be_left_out_and_with_them_it_may_not():
    D = build_discriminator({"type": "dual", "resolution": 8, "channel_base": 64, "channel_max": 8})
    frames, t = torch.zeros(4, 2, 3, 8, 8), torch.tensor([[0.0, 1.0]] * 4)
    for head, logits in D(frames, t).items():
        assert torch.equal(logits, D(frames, t, torch.zeros(4, 0))[head])
    D = build_discriminator(D.config | {"label_dim": 3})
    with pytest.raises(InrvidError, match=r"Dual\w* judges clips by their class: label \[B, 3\]"):
        D(frames, t)


def test_clips_of_another_length_are_refused():
    with pytest.raises(InrvidError, match="Judge judges 2 frames of a clip, got 4"):
        judging({})(torch.zeros(3, 4, 3, 8, 8), torch.zeros(3, 4), torch.zeros(3, 0))


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 2, 4, 4)])
def test_of_clips_or_of_frames(shape):
    logits = judging({"clip": torch.ones(shape)})(torch.zeros(3, 2, 3, 8, 8), torch.zeros(3, 2), torch.zeros(3, 0))
    assert logits["clip"].shape == shape


@pytest.mark.parametrize(
    ("frames", "times", "told"),
    [
        (torch.zeros(3, 2, 3, 8, 8, dtype=torch.uint8), 2, "uint8 [3, 2, 3, 8, 8] at [3, 2]"),
        (torch.zeros(3, 2, 3, 8, 8), 3, "float32 [3, 2, 3, 8, 8] at [3, 3]"),
        (torch.zeros(6, 3, 8, 8), 2, "float32 [6, 3, 8, 8] at [3, 2]"),
    ],
)
def test_what_are_no_clips_of_its_own_is_refused(frames, times, told):
    expected = re.escape(f"Judge judges clips [B, 2, 3, H, W] in [−1, 1] at times [B, 2], got {told}")
    with pytest.raises(InrvidError, match=expected):
        judging({})(frames, torch.zeros(3, times), torch.zeros(3, 0))
