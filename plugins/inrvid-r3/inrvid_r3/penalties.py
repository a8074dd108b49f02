"""‖∂logit/∂x‖² of a discriminator's heads, exactly or by finite differences.

Both are of the same function at the same points: those of the discriminator (`penalty_points`), through the turn's
augmentation and noise. A head has n points in a batch of B clips (B·T frames, B pairs, …); what is returned is the
mean of their squared norms.

**Finite differences**: E_ε[((D(a(x)) − D(a(x + σε)))/σ)²] = ‖∂D/∂x‖² + O(σ²) for ε ~ N(0, I), where D is one logit and
x *all* that it depends on, so that

    1/n · Σ over clips of (Σ over the clip's logits of the head of (D(a(x)) − D(a(x + σε)))/σ)²

has that mean for its expectation: a clip's difference holds all its points' gradients, whose squares add up (the
cross terms' expectation is 0); with one logit per frame the sum is over frames, whose cross terms vanish as well. The
sum is squared, not each logit, as `r1_norms` differentiates the sum: this matters where a clip's logits share points.
The estimate of one step is noisy (its deviation is √(2/B) of it), that of many is not.

x + σε is mapped to a head's input by the derivative of the map: augmentations and what heads look at are affine in the
frames, so that nothing is lost by it, and a head whose points lie after the augmentation is treated correctly.

**What couples clips.** With a standard deviation over a minibatch, the gradient is that of all clips' logits, but the
difference is that of the clip's own logit with noise in all clips: the two then differ by the effect of clips on each
other's logits. With `mbstd_group: 1` (R3GAN has no such layer) they agree.

Where D has kinks (leaky ReLU), the difference also sees how they move, which the gradient of a gradient does not: their
derivatives with respect to D's parameters agree only for a smooth D.

In half precision the rounding of D is part of the difference: σ must stay well above it.
"""

from __future__ import annotations

import torch

from inrvid.plugins import ClipKind, InstanceNoise, Tensors, Turn, at_least_float32, instance_noise, r1_norms


def by_gradients(turn: Turn, kind: ClipKind) -> Tensors:
    """Mean squared gradient norm of each head's points; differentiable (a second time)."""
    with turn.noise(kind):
        norms = r1_norms(turn.discriminator, *turn.clips(kind), turn.augmentation(kind))
    return {head: of_points.mean() for head, of_points in norms.items()}


def by_differences(turn: Turn, kind: ClipKind, sigma: float) -> Tensors:
    """An estimate of the same from one draw of ε per clip; D is called as a whole, and differentiated once."""
    frames, t, _ = turn.clips(kind)
    points, inputs = turn.discriminator.penalty_points(frames, t, turn.augmentation(kind))
    moved = turn.judge(kind, moved_inputs(points, inputs, directions(turn, kind, points), sigma))
    (still,) = turn.logits(kind)
    found = {}
    for head, point in points.items():
        change = (at_least_float32(moved[head]) - at_least_float32(still[head])) / sigma
        found[head] = change.reshape(len(frames), -1).sum(dim=1).square().sum() / len(point)
    return found


def directions(turn: Turn, kind: ClipKind, points: Tensors) -> Tensors:
    """ε of each head's points, a function of the clip."""
    draws = turn.draws(f"{kind} differences")
    seeds = draws.integers(torch.full((len(draws),), 2**62)).tolist()
    normal = InstanceNoise(1.0)
    with instance_noise(normal, lambda: seeds):
        return {head: normal(torch.zeros_like(point)) for head, point in points.items()}


def moved_inputs(points: Tensors, inputs: Tensors, epsilon: Tensors, sigma: float) -> Tensors:
    """The heads' inputs at points + σε, constants: inputs + σ·J·ε.

    J·ε is the gradient of εᵀ·Jᵀ·v, which is linear in v.
    """
    v = [torch.zeros_like(x, requires_grad=True) for x in inputs.values()]
    back = torch.autograd.grad([*inputs.values()], [*points.values()], v, create_graph=True)
    along = torch.autograd.grad(back, v, [epsilon[head] for head in points])
    return {head: (x + sigma * dx).detach() for (head, x), dx in zip(inputs.items(), along, strict=True)}
