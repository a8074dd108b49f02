"""What a phase may look at and ask for."""

from __future__ import annotations

import pytest
import torch
from accelerate import Accelerator

from inrvid.augment.none import NoAugment
from inrvid.layers.noise import InstanceNoise
from inrvid.losses.base import Phase
from inrvid.models.build import build_discriminator, build_generator
from inrvid.training.step import Batch, TrainingStep
from inrvid.training.turn import TurnOf

LENGTHS = torch.tensor([16])
BOTH = Phase("D", "discriminator", ("fake", "real"), lambda turn: torch.zeros(()))


@pytest.fixture
def training(tiny):
    recipe = tiny()
    D = build_discriminator(recipe.discriminator)
    D.image.blocks["16"].conv0 = torch.nn.Sequential(InstanceNoise(0.5), D.image.blocks["16"].conv0)
    return TrainingStep(recipe, build_generator(recipe.generator), D, Accelerator(cpu=True), LENGTHS)


def batch(samples):
    frames = torch.linspace(-1, 1, 8 * 2 * 3 * 16 * 16).view(8, 2, 3, 16, 16)[list(samples)]
    return Batch(frames, torch.tensor([[0.0, 5.0]] * len(samples)), torch.zeros(len(samples), 0), samples)


def test_latents_are_those_of_the_generated_clips(training):
    turn = TurnOf(training, BOTH, 3, batch(range(4)))
    frames, t, _ = turn.clips("fake")
    torch.testing.assert_close(training.G(turn.latents(), t), frames)


def test_noise_is_a_clip_s_own_and_the_same_for_a_kind_within_a_phase(training):
    training.D.joins = False  # groups of the batch's deviation would be others
    turn, joined = (TurnOf(training, BOTH, 3, batch(range(4))) for _ in range(2))
    frames = turn.clips("real")[0]
    (real,) = turn.logits("real")
    assert torch.equal(turn.judge("real", frames)["image"], real["image"])
    inputs = training.D.inputs(*turn.clips("real")[:2])
    assert torch.equal(turn.judge("real", inputs)["motion"], real["motion"])
    assert not torch.allclose(training.D(*turn.clips("real"))["image"], real["image"])  # without noise
    assert not torch.allclose(turn.judge("fake", frames)["image"], real["image"], atol=1e-4)
    training.D.joins = True
    torch.testing.assert_close(joined.logits("fake", "real")[1]["image"], real["image"], rtol=1e-4, atol=1e-5)


def test_draws_are_of_phase_purpose_and_clip(training):
    turn = TurnOf(training, BOTH, 3, batch(range(4)))
    values = turn.draws("coins").uniform()
    assert torch.equal(TurnOf(training, BOTH, 3, batch([2, 3])).draws("coins").uniform(), values[2:])
    assert not torch.equal(turn.draws("others").uniform(), values)


def test_a_phase_is_told_when_parameters_have_moved(training):
    """And an augmentation sees only the heads that the discriminator lets steer it."""
    moved, seen = [], []
    start = training.D.motion.rgb.weight.detach().clone()

    def after(G, D):
        moved.append(not torch.equal(D.motion.rgb.weight, start) and not torch.is_grad_enabled())

    class Watching(NoAugment):
        def observe(self, real, *, clips, total):
            seen.append(sorted(real))

    def loss(turn):
        fake, real = turn.logits("fake", "real")
        return fake["motion"].mean() - real["motion"].mean()

    training.augment = Watching(training.recipe.augment)
    training.D.steering = lambda logits: {"motion": logits["motion"]}
    training.phases = [Phase("D", "discriminator", ("fake", "real"), loss, after=after)]
    training(0, [batch(range(4))], clips_seen=40)
    assert moved == [True]
    assert seen == [["motion"]]
    assert TurnOf(training, BOTH, 0, batch(range(4))).clips_seen == 40


def test_what_a_loss_judges_by_itself_is_logged_and_steers(training):
    seen = []

    class Watching(NoAugment):
        def observe(self, real, *, clips, total):
            seen.append(real["image"])

    def loss(turn):
        turn.judged["real"] = {"image": turn.discriminator(*turn.clips("real"))["image"]}
        return turn.judged["real"]["image"].mean()

    training.augment = Watching(training.recipe.augment)
    training.phases = [Phase("D", "discriminator", ("real",), loss)]
    log = training(0, [batch(range(4))], clips_seen=0)
    assert torch.equal(log["sign/real_image"], seen[0].sign())


def test_the_penalty_is_at_noisy_real_clips(training):
    """With the noise that its phase has for them."""
    seen, noise = [], training.D.image.blocks["16"].conv0[0]
    noise.register_forward_pre_hook(lambda module, x: seen.append(list(module._seeds)))
    phase = next(phase for phase in training.phases if phase.name == "penalty")
    turn = TurnOf(training, phase, 0, batch(range(4)))
    phase.loss(turn)
    assert seen == [turn._noise_seeds("real")]
    assert any(seen[0])
