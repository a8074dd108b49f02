"""What MoCoGAN's loss is, and what its phases look at."""

from __future__ import annotations

import contextlib
import math

import pytest
import torch
from inrvid_mocogan.discriminator import MocoganDiscriminator
from inrvid_mocogan.loss import Judged, MocoganLoss, cross_entropy, towards
from inrvid_mocogan.two_heads import in_time

from inrvid import InrvidError, build_discriminator, build_generator
from inrvid.plugins import Draws, registry

B = 4
TWO = {"image", "video"}
GENERATOR = {"type": "mocogan", "resolution": 16, "z_dim": 6, "channel_base": 64}
DISCRIMINATOR = {"type": "mocogan", "resolution": 16, "channel_base": 64, "frames": 10}


def logits(value, classes=None):
    heads = {"image": torch.full((B, 4, 4), value), "video": torch.full((B, 1, 2), value)}
    return Judged(heads, classes)


@pytest.mark.parametrize(("value", "expected"), [(0.0, math.log(2)), (20.0, 0.0)])
def test_each_judge_is_a_mean_and_they_are_added(value, expected):
    loss, label = MocoganLoss(MocoganLoss.Config()), torch.zeros(B, 0)
    assert towards(1, logits(value)).item() == pytest.approx(2 * expected, abs=1e-6)
    assert loss.generator(logits(value), label).item() == pytest.approx(2 * expected, abs=1e-6)
    both = loss.discriminator(logits(value), logits(-value), label).item()
    assert both == pytest.approx(4 * expected, abs=1e-6)


def test_classes_are_of_real_clips_for_d_and_of_generated_ones_for_g():
    label = torch.eye(3)[torch.tensor([0, 1, 2, 1])]
    certain, unsure = logits(0.0, (label * 50)[..., None].expand(-1, -1, 2)), logits(0.0, torch.zeros(B, 3))
    loss = MocoganLoss(MocoganLoss.Config(categories=True, infogan=True))
    assert loss.discriminator(certain, unsure, label).item() == pytest.approx(4 * math.log(2))
    assert loss.discriminator(unsure, certain, label).item() == pytest.approx(4 * math.log(2) + math.log(3))
    assert loss.generator(unsure, label).item() == pytest.approx(2 * math.log(2) + math.log(3))
    for none in (None, torch.zeros(B, 0)):
        with pytest.raises(InrvidError, match="categorical"):
            cross_entropy(none, label)


class Watched(MocoganDiscriminator):
    """It keeps what it judges."""

    def __init__(self, config):
        super().__init__(config)
        self.seen = []

    def of_frames(self, frames, label):
        self.seen.append(frames)
        return super().of_frames(frames, label)

    def of_clips(self, clips):
        self.seen.append(clips)
        return super().of_clips(clips)


class Turn:
    """A phase's turn, with an augmentation that turns the light off."""

    def __init__(self, phase, D, classes=0):
        self.phase, self.discriminator, self.judged = phase, D, {}
        self.generator = build_generator({**GENERATOR, "label_dim": classes})
        self.label = torch.eye(max(classes, 1))[torch.arange(B) % max(classes, 1)][:, :classes]
        self.real = torch.rand(B, 10, 3, 16, 16, generator=torch.Generator().manual_seed(0))
        self.noisy = []
        with torch.set_grad_enabled(phase.moves == "generator"):
            latents = self.generator.draw_latents(self.draws, B, self.label)
            self.fake = self.generator(latents, self.t)

    t = torch.arange(10.0).expand(B, -1)

    def draws(self, purpose):
        return Draws.of_batch(0, f"{self.phase.name} {purpose}", 3, range(B))

    def clips(self, kind):
        return getattr(self, kind), self.t, self.label

    def augmentation(self, kind):
        return lambda frames: frames - 1

    @contextlib.contextmanager
    def noise(self, *kinds):
        self.noisy.append(kinds)
        yield

    def logits(self, *kinds):
        return tuple(
            self.discriminator(self.augmentation(kind)(getattr(self, kind)), self.t, self.label) for kind in kinds
        )


def phases(**keys):
    return list(MocoganLoss(MocoganLoss.Config(**keys)).phases())


def watched(classes=0):
    return Watched(registry("discriminators").validate({**DISCRIMINATOR, "label_dim": classes}))


def test_judges_see_one_frame_of_each_real_clip_and_frames_of_other_videos():
    D = watched()
    turn = Turn(phases()[0], D)
    turn.phase.loss(turn).backward()
    frame, clip, other_frame, fake_clip = D.seen
    assert torch.equal(clip, in_time(turn.real - 1))
    same = [(own - 1 == one).flatten(1).all(dim=1) for own, one in zip(turn.real, frame, strict=True)]
    places = [of_clip.nonzero().flatten().tolist() for of_clip in same]
    assert all(len(place) == 1 for place in places)
    assert len({place[0] for place in places}) > 1
    assert torch.equal(fake_clip, in_time(turn.fake - 1))
    assert other_frame.shape == (B, 3, 16, 16)
    assert not other_frame.requires_grad
    assert (fake_clip.transpose(1, 2) - other_frame[:, None]).flatten(2).abs().amax(dim=2).min() > 1e-4
    assert turn.noisy == [("real",), ("fake",)]
    assert {kind: set(heads) for kind, heads in turn.judged.items()} == {"real": TWO, "fake": TWO}
    assert all(p.grad is not None for p in D.parameters())
    assert all(p.grad is None for p in turn.generator.parameters())


def test_the_generator_learns_from_frames_and_from_clips():
    D = watched(classes=3)
    turn = Turn(phases(infogan=True)[1], D, classes=3)
    loss = turn.phase.loss(turn)
    expected = towards(1, Judged(turn.judged["fake"])) + cross_entropy(D.of_clips(D.seen[1])[1], turn.label)
    torch.testing.assert_close(loss, expected)
    frame, clip = D.seen[:2]
    for gradient in torch.autograd.grad(loss, [frame, clip]):
        assert (gradient.flatten(1).abs().sum(dim=1) > 0).all()
    assert frame.requires_grad


def test_every_head_of_another_discriminator_is_one_of_the_game():
    D = build_discriminator({"type": "hypernetwork", "resolution": 32, "channel_base": 128, "frames": 10})
    D.inputs = lambda frames, t: {"first": frames[:, 0], "second": frames[:, 1]}
    D.heads = lambda inputs, t, label: {head: x.flatten(1) for head, x in inputs.items()}
    turn = Turn(phases()[0], D)
    softplus = torch.nn.functional.softplus
    both = [softplus(-(turn.real[:, i] - 1)).mean() + softplus(turn.fake[:, i] - 1).mean() for i in (0, 1)]
    torch.testing.assert_close(turn.phase.loss(turn), sum(both))
