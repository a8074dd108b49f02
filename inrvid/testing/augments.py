"""Checks of an augmentation: one draw per clip, differentiable twice."""

from __future__ import annotations

from typing import Any

import torch

from ..random import Draws
from .checks import ROUNDED, near, require, shaped
from .randomness import check_own_randomness
from .training import ParallelChecks

CLIPS, FRAMES = 6, 3


class KindChecks(ParallelChecks):
    """Checks of an augmentation."""

    def recipe_parts(self) -> dict[str, Any]:
        return {"augment": self.config()}

    def test_one_draw_a_clip(self) -> None:
        """The same for all frames of a clip, at every call, and whatever other clips are in the batch."""
        augment, frames = self.build(), still_clips()
        apply = augment.sample(draws(range(CLIPS)), frames.device)
        out = apply(frames)
        shaped(out, tuple(frames.shape), "augmented frames")
        near(out[:, 0], out[:, 2], "the first and the last of a clip's equal frames")
        near(apply(frames), out, "another call of one draw")
        alone = augment.sample(draws([4]), frames.device)(frames[4:5])
        near(alone[0], out[4], "a clip alone and in a batch", **ROUNDED)

    def test_differentiable_twice(self) -> None:
        """As gradient penalties differentiate through it."""
        frames = still_clips().requires_grad_()
        out = self.build().sample(draws(range(CLIPS)), frames.device)(frames)
        (gradient,) = torch.autograd.grad(out.square().sum(), frames, create_graph=True)
        gradient.square().sum().backward()
        require(frames.grad is not None and bool(frames.grad.abs().sum() > 0), "it has no second derivative")

    def test_randomness_is_its_own(self) -> None:
        frames = still_clips()
        check_own_randomness(lambda: self.parts.build(self.config()).state_dict(), "building it")
        augment = self.build()
        check_own_randomness(lambda: augment.sample(draws(range(CLIPS)), frames.device)(frames), "drawing from it")


def still_clips() -> torch.Tensor:
    frame = torch.rand(CLIPS, 1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return frame.expand(-1, FRAMES, -1, -1, -1).clone()


def draws(samples: Any) -> Draws:
    return Draws.of_batch(1, "augment", 0, samples)
