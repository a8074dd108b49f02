"""Checks of a discriminator: logits, gradients, the gradient penalty with its double backward."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..discriminators.base import ClipBatch, Discriminator
from ..errors import InrvidError
from ..losses.penalty import r1_norms
from ..models.build import build_discriminator
from .checks import case, gradient_distance, near, require, require_gradients
from .randomness import check_own_randomness
from .training import ParallelChecks
from .videos import HALF, LABELS, half_everywhere, require_same_shapes, skip_single_precision

CLIPS = 4


class KindChecks(ParallelChecks):
    """Checks of a discriminator."""

    def recipe_parts(self) -> dict[str, Any]:
        return {"discriminator": self.config()}

    def built(self, seed: int = 1, **keys: Any) -> Discriminator:
        return build_discriminator(self.config(**keys), seed=seed)

    def in_each(self, check: Callable[[Discriminator], None]) -> None:
        """Check it unconditional, and conditional unless it refuses to be; failures are reported with which."""
        for classes in LABELS:
            with case(f"{classes or 'no'} classes"):
                try:
                    D = self.built(label_dim=classes)
                except InrvidError:
                    if not classes:
                        raise
                    continue
                check(D)

    def test_logits(self) -> None:
        """Finite, for each head and clip, with as many heads as it has inputs."""
        self.in_each(check_logits)

    def test_every_parameter_gets_a_gradient(self) -> None:
        """Except those that are frozen (`requires_grad` is off)."""
        self.in_each(check_gradients)

    def test_clips_get_a_gradient(self) -> None:
        """Every frame that it sees: a generator learns from that gradient."""
        self.in_each(check_gradients_of_clips)

    def test_gradient_penalty(self) -> None:
        """R1's norms are positive and can be differentiated, if it has penalty points at all."""
        self.in_each(check_penalty)

    def test_penalty_is_the_gradient_of_the_logits(self) -> None:
        """Against finite differences: a step along the gradient changes the logits by its squared norm."""
        D = self.built(mbstd_group=1).double().eval()  # nothing moves from call to call
        frames, t, label = (x.double() for x in clips_for(D))
        points, inputs = D.penalty_points(frames, t, same)
        logits = D.heads(inputs, t, label) if points else {}
        norms = r1_norms(D, frames, t, label, same) if points else {}
        for head, point in points.items():
            (gradient,) = torch.autograd.grad(logits[head].sum(), point, retain_graph=True)
            step = 1e-6
            moved = moved_inputs(D, frames, t, head, point.detach() + step * gradient)
            if moved is not None:
                slope = (D.heads(moved, t, label)[head] - logits[head]).sum() / step
                near(slope, norms[head].sum(), f"{head}: the slope and the norm", rtol=1e-3, atol=1e-9)

    def test_weights_are_its_whole_state(self) -> None:
        """With the same weights it has the same logits."""
        self.in_each(check_state)

    def test_builds_without_memory(self) -> None:
        """On PyTorch's meta device it has the names and shapes that it has elsewhere, if it can be built there."""
        require_same_shapes("discriminators", self.config(), self.built().state_dict())

    def test_two_batches_are_judged_as_if_each_were_alone(self) -> None:
        """In one call where it joins them: each batch keeps its own statistics, above all its own groups."""
        self.in_each(check_both)

    def test_randomness_is_its_own(self) -> None:
        check_own_randomness(lambda: self.built().state_dict(), "building it")
        D = self.built()
        clips = clips_for(D)
        check_own_randomness(lambda: {k: v.detach() for k, v in copy.deepcopy(D)(*clips).items()}, "calling it")

    def test_half_precision_is_nearly_the_same(self) -> None:
        """Gradients, of logits and of the penalty together."""
        skip_single_precision("discriminators", self.name)
        for dtype in HALF:
            with case(dtype), half_everywhere():
                full, half = self.built(), self.built(half_blocks=2, half_dtype=dtype)
                for D in (full, half):
                    clips = clips_for(D)
                    norms = r1_norms(D, *clips, same) if D.penalty_points(*clips[:2], same)[0] else {}
                    total = sum(value.mean() for value in norms.values()) * 100  # as large as the logits' gradients
                    (total + torch.stack([value.mean() for value in D(*clips).values()]).sum()).backward()
                distance = gradient_distance(half, full)
                require(distance < 0.15, f"gradients differ by {distance:.0%}")


def clips_for(D: Discriminator, count: int = CLIPS, seed: int = 0) -> ClipBatch:
    """Random clips of its size, with ascending times."""
    generator, config = torch.Generator().manual_seed(seed), D._config
    frames = torch.rand(count, D.frames, 3, config.resolution, config.resolution, generator=generator) * 2 - 1
    t = torch.rand(count, D.frames, generator=generator).mul(config.clip_length - 1).sort(dim=1).values
    label = torch.eye(max(config.label_dim, 1))[torch.arange(count) % max(config.label_dim, 1)]
    return frames, t, label[:, : config.label_dim]


def check_logits(D: Discriminator) -> None:
    frames, t, label = clips_for(D)
    logits = D(frames, t, label)
    require(bool(logits), "it has no heads")
    for head, value in logits.items():
        require(bool(value.isfinite().all()), f"{head}: logits are not finite")
    inputs = set(D.inputs(frames, t))
    require(inputs == set(logits), f"inputs of {sorted(inputs)}, logits of {sorted(logits)}")


def check_gradients(D: Discriminator) -> None:
    torch.stack([value.sigmoid().sum() for value in D(*clips_for(D)).values()]).sum().backward()
    for part in getattr(D, "test_unreached", ()):  # parts without logits, which a loss calls itself
        D.get_submodule(part).requires_grad_(False)
    require_gradients(D)


def check_gradients_of_clips(D: Discriminator) -> None:
    frames, t, label = clips_for(D)
    torch.stack([value.sum() for value in D(frames.requires_grad_(), t, label).values()]).sum().backward()
    reached = frames.grad is not None and bool((frames.grad.flatten(2).abs().sum(2) > 0).all())
    require(reached, "no gradient reaches some of the frames: a generator learns nothing of them")


def check_penalty(D: Discriminator) -> None:
    frames, t, label = clips_for(D)
    if not D.penalty_points(frames, t, same)[0]:
        return
    norms = r1_norms(D, frames, t, label, same)
    for head, value in norms.items():
        require(bool((value > 0).all()), f"{head}: norms of the gradient are {value.tolist()}")
    torch.stack([value.sum() for value in norms.values()]).sum().backward()  # the double backward
    if set(norms) == set(D.inputs(frames, t)):
        learned = [(n, p) for n, p in D.named_parameters() if p.requires_grad and n.endswith("weight")]
        apart = ("mapping", *getattr(D, "test_unreached", ()))
        missing = [n for n, p in learned if not any(part in n for part in apart) and p.grad is None]
        require(not missing, f"the penalty has no gradient for {', '.join(missing[:5])}")


def check_state(D: Discriminator) -> None:
    clips = clips_for(D.eval())
    expected = D(*clips)
    rebuilt = build_discriminator(D.config, seed=9).eval()
    require(rebuilt.config == D.config, "its configuration does not rebuild it")
    rebuilt.load_state_dict(D.state_dict())
    for head, value in rebuilt(*clips).items():
        near(value, expected[head], f"{head}, with the same weights")


def check_both(D: Discriminator) -> None:
    judge = build_discriminator({**D.config, "mbstd_group": 4}, seed=1).eval()
    for count in (2, 6, 8):
        check_pair(judge, count)


def check_pair(D: Discriminator, count: int) -> None:
    first, second = clips_for(D, count, seed=1), clips_for(D, count, seed=2)
    alone = D(*first), D(*second)
    for batch, (logits, expected) in enumerate(zip(D.both(first, second), alone, strict=True), 1):
        for head, value in expected.items():
            near(logits[head], value, f"{head}, {count} clips, batch {batch}", rtol=1e-4, atol=1e-5)
    differ = [not torch.allclose(alone[0][head], alone[1][head], rtol=1e-3) for head in alone[0]]
    require(any(differ), "two batches of different clips have the same logits")
    for head, value in D(*first).items():
        near(value, alone[0][head], f"{head}, after two batches in one call")


def moved_inputs(D: Discriminator, frames: Tensor, t: Tensor, head: str, moved: Tensor) -> dict[str, Tensor] | None:
    """Inputs after a head's penalty point has moved; None if the point is neither the head's input nor the frames."""
    inputs = D.inputs(frames, t)
    if moved.shape == inputs[head].shape:
        return {**inputs, head: moved}
    return D.inputs(moved.view_as(frames), t) if moved.numel() == frames.numel() else None


def same(frames: Tensor) -> Tensor:
    """No augmentation."""
    return frames
