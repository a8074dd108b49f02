"""The loss by its formulas, its phases, and that both penalties are estimates of one number."""

from __future__ import annotations

import contextlib

import pytest
import torch
import torch.nn.functional as F
from inrvid_r3.penalties import by_differences, by_gradients

from inrvid import build_discriminator
from inrvid.plugins import Discriminator, Draws, r1_norms, registry

SIZES = {"resolution": 16, "clip_length": 8, "channel_base": 64, "channel_max": 8, "mbstd_group": 1}
COPIES = 128
"""Of each clip: so many draws in one call."""
STEPS = 16


class Looking:
    """A turn of a phase: given clips, one draw of an augmentation."""

    clips_seen = 500

    def __init__(self, discriminator, *, augment="none", clips=2, copies=1, step=0):
        self.discriminator, self.step, self.copies = discriminator, step, copies
        numbers = torch.Generator().manual_seed(3)
        k = discriminator.frames
        self._clips = {
            kind: (
                torch.rand(clips, k, 3, 16, 16, generator=numbers).mul(2).sub(1).repeat(copies, 1, 1, 1, 1),
                torch.arange(k).float().mul(2).repeat(clips * copies, 1),
                torch.zeros(clips * copies, 0),
            )
            for kind in ("real", "fake")
        }
        draws = Draws.of_batch(0, "augment", 0, list(range(clips)) * copies)
        self._augment = registry("augments").build({"type": augment}).sample(draws, torch.device("cpu"))

    def clips(self, kind):
        return self._clips[kind]

    def augmentation(self, kind):
        return self._augment

    def logits(self, *kinds):
        return tuple(self.judge(kind, self._augment(self._clips[kind][0])) for kind in kinds)

    def judge(self, kind, frames):
        return self.discriminator(frames, *self._clips[kind][1:])

    def noise(self, *kinds):
        return contextlib.nullcontext()

    def draws(self, purpose):
        return Draws.of_batch(0, purpose, self.step, range(len(self._clips["real"][0])))


class Patches(Discriminator):
    """Logits of overlapping patches of the whole clip."""

    def __init__(self, config):
        super().__init__(config)
        self.conv = torch.nn.Conv2d(6, 1, 12, stride=4)
        self.conv.weight.data.abs_()  # filters that, moved, are like themselves: cross terms do not vanish

    def inputs(self, frames, t):
        return {"patches": frames.flatten(1, 2)}

    def heads(self, inputs, t, label):
        return {"patches": self.conv(inputs["patches"]).exp().flatten(1)}


def discriminator(name):
    if name == "patches":
        torch.manual_seed(0)
        return Patches(Patches.Config(**SIZES))
    frames = {} if name == "dual" else {"frames": 3, "concat_resolution": 8}
    D = build_discriminator({"type": name, **SIZES, **frames})
    for p in D.parameters():  # with biases of 0, black margins lie at leaky ReLU's kinks, where there is no gradient
        if p.ndim == 1:
            torch.nn.init.uniform_(p, -0.2, 0.2, generator=torch.Generator().manual_seed(len(p)))
    return D


def loss(**config):
    return registry("losses").build({"type": "relativistic", **config})


@pytest.mark.parametrize("name", ["dual", "hypernetwork", "patches"])
def test_both_penalties_agree_in_expectation(name):
    """A logit a frame or a clip, or many that share points; points before the augmentation, or behind it."""
    D = discriminator(name).requires_grad_(False)
    exact = by_gradients(Looking(D, augment="diffaugment"), "real")
    many = [Looking(D, augment="diffaugment", copies=COPIES, step=step) for step in range(STEPS)]
    draws = [by_differences(turn, "real", 0.01) for turn in many]
    assert set(draws[0]) == set(exact)
    for head, value in exact.items():
        found = torch.stack([draw[head] for draw in draws])
        assert found.std() > 0.01 * value  # each has noise of its own
        torch.testing.assert_close(found.mean(), value, rtol=0.1, atol=0)  # three deviations or more


def test_their_derivatives_agree_in_expectation():
    """Of a smooth D: with kinks, the difference also sees how they move, which the gradient of a gradient does not."""
    D = discriminator("patches")
    by_gradients(Looking(D), "real")["patches"].backward()
    exact = D.conv.weight.grad.clone()
    D.zero_grad()
    for step in range(STEPS):
        (by_differences(Looking(D, copies=COPIES, step=step), "real", 0.01)["patches"] / STEPS).backward()
    found = D.conv.weight.grad
    assert F.cosine_similarity(exact.flatten(), found.flatten(), dim=0) > 0.9
    torch.testing.assert_close(found.norm(), exact.norm(), rtol=0.25, atol=0)


def test_pairs_by_index():
    D = discriminator("dual")
    turn = Looking(D, clips=3)
    real, fake = turn.logits("real", "fake")
    G, D_phase = loss(gamma=0.0).phases()
    expected = sum(F.softplus(fake[head] - real[head]).mean() for head in real)
    torch.testing.assert_close(D_phase.loss(turn), expected)
    torch.testing.assert_close(G.loss(turn), sum(F.softplus(real[head] - fake[head]).mean() for head in real))
    others = sum(F.softplus(fake[head].roll(1, 0) - real[head]).mean() for head in real)
    assert abs(others - expected) > 1e-4
    assert {*G.sees} == {*D_phase.sees} == {"real", "fake"}


@pytest.mark.parametrize("penalty", ["gradient", "finite_differences"])
def test_penalties_are_part_of_each_step_of_d(penalty):
    D = discriminator("hypernetwork")
    turn = Looking(D)
    without, with_both = (list(loss(gamma=g, penalty=penalty).phases()) for g in (0.0, 3.0))
    assert [phase.name for phase in with_both] == ["G", "D"]
    added = (with_both[1].loss(turn) - without[1].loss(turn)).detach()
    if penalty == "gradient":
        norms = [r1_norms(D, *turn.clips(kind), lambda x: x)["video"].mean() for kind in ("real", "fake")]
    else:
        norms = [by_differences(turn, kind, 0.01)["video"] for kind in ("real", "fake")]
    torch.testing.assert_close(added, 1.5 * sum(norms).detach(), rtol=1e-4, atol=1e-6)


def test_rare_penalties_are_phases_of_their_own():
    phases = {phase.name: phase for phase in loss(gamma=2.0, real_interval=4, generated_interval=16).phases()}
    assert list(phases) == ["G", "D", "R1", "R2"]
    assert (phases["R1"].sees, phases["R1"].interval, phases["R1"].weight) == (("real",), 4, 4)
    assert (phases["R2"].sees, phases["R2"].interval, phases["R2"].weight) == (("fake",), 16, 16)
    turn = Looking(discriminator("hypernetwork"))
    for name, kind in (("R1", "real"), ("R2", "fake")):
        torch.testing.assert_close(phases[name].loss(turn), by_gradients(turn, kind)["video"])
    real, fake = (by_gradients(turn, kind)["video"] for kind in ("real", "fake"))
    assert abs(real - fake) > 1e-3 * real


def test_gamma_follows_a_cosine():
    turn = Looking(discriminator("hypernetwork"))
    falling = loss(gamma={"start": 8.0, "end": 2.0, "kclips": 1.0})
    norm = by_gradients(turn, "real")["video"]
    torch.testing.assert_close(falling.penalty(turn, "real"), 2.5 * norm)  # halfway at 500 clips
    turn.clips_seen = 5000
    torch.testing.assert_close(falling.penalty(turn, "real"), 1.0 * norm)
