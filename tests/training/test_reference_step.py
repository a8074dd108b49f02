"""A training step against one that is written out here, from the papers, in plain autograd.

G (non-saturating logistic loss on augmented clips), D on fresh latents, lazy R1, and the moving averages of G's weights
and of w; Adam by hand. Nothing of `training/` is used but what is tested: the networks, the augmentations, the time
samplers and the draws (each a function of seed, purpose, step and sample) are shared. In float64.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from torch import nn
from torch.nn.functional import one_hot, softplus

from inrvid import load_recipe
from inrvid.models.build import build_discriminator, build_generator
from inrvid.random import Draws
from inrvid.registry import registry
from inrvid.training.processes.sharing import shares
from inrvid.training.step import Batch, TrainingStep

SYSTEMS = {
    "digan_ucf": ["generator.input_resolution=8", "generator.coord_dim=8", "generator.fmm_rank=2"],
    "stylegan_v_ucf_cond": [
        "generator.motion_width=8", "generator.motion.code_dim=8", "generator.motion.kernel=3",
        "discriminator.time_embedding_dim=8", "data.labels=true", "train.precision=fp32", "time_sampler.max_frames=64",
    ],
}  # fmt: skip
AUGMENTS = {"ada": ["augment.initial=0.5"], "diffaugment": []}
BATCH, STEP, SAMPLES, SIDE = 8, 16, range(40, 48), 32
LENGTHS = torch.tensor([30, 45, 2000])
SMALL = [
    f"generator.resolution={SIDE}", "generator.z_dim=8", "generator.w_dim=8", "generator.channel_max=8",
    "discriminator.channel_max=8", f"train.batch_size={BATCH}",
]  # fmt: skip


@pytest.fixture(params=[(system, augment) for system in SYSTEMS for augment in AUGMENTS], ids="-".join)
def setting(request):
    """A recipe of both papers, small; new networks; a batch."""
    system, augment = request.param
    overrides = [*SMALL, *SYSTEMS[system], f"augment.type={augment}", *AUGMENTS[augment]]
    recipe = load_recipe(system, overrides)
    classes, frames = recipe.generator.label_dim, recipe.discriminator.frames
    real = torch.rand(BATCH, frames, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)).double() * 2 - 1
    t = torch.arange(frames).float() * torch.arange(1, BATCH + 1)[:, None]
    label = one_hot(torch.arange(BATCH), classes).double() if classes else torch.zeros(BATCH, 0).double()
    return SimpleNamespace(recipe=recipe, real=real, t=t, label=label)


def networks(recipe):
    G, D = build_generator(recipe.generator, seed=5), build_discriminator(recipe.discriminator, seed=6)
    for module in (G, D):  # nothing starts at zero, where its gradient or its use would not show
        for p in module.parameters():
            p.data += 0.05 * torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel()))
    G, D = G.double().train(), D.double().train()
    single = G.draw_latents
    G.draw_latents = lambda *args: single(*args).to(torch.float64)
    return G, D


class Adam:
    """Kingma & Ba 2015, algorithm 1, at the rates of lazy regularisation, c = k/(k + 1): lr·c, β^c."""

    def __init__(self, module: nn.Module, interval: int):
        c = interval / (interval + 1)
        self.p, self.lr, self.b1, self.b2 = list(module.parameters()), 0.0025 * c, 0.0**c, 0.99**c
        self.m, self.v, self.n = [0.0] * len(self.p), [0.0] * len(self.p), 0

    @torch.no_grad()
    def step(self, gradients) -> None:
        self.n += 1
        for i, (p, g) in enumerate(zip(self.p, gradients, strict=True)):
            self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * g
            self.v[i] = self.b2 * self.v[i] + (1 - self.b2) * g * g
            m, v = self.m[i] / (1 - self.b1**self.n), self.v[i] / (1 - self.b2**self.n)
            p -= self.lr * m / (v**0.5 + 1e-8)


def reference(s):
    """(losses, gradients of each update, networks after it, averaged weights)."""
    G, D = networks(s.recipe)
    average = [p.detach().clone() for p in G.parameters()]
    augment = registry("augments").build(s.recipe.augment)
    sampler = registry("time_samplers").build(s.recipe.time_sampler)
    draws = lambda purpose: Draws.of_batch(0, purpose, STEP, SAMPLES)  # noqa: E731
    opt_G, opt_D = Adam(G, 4), Adam(D, 16)
    losses, gradients = {}, []

    def update(name, loss, module, optimizer):
        found = torch.autograd.grad(loss, list(module.parameters()), allow_unused=True)
        found = [torch.zeros_like(p) if g is None else g for g, p in zip(found, optimizer.p, strict=True)]
        losses[name] = loss.detach()
        gradients.append(found)
        optimizer.step(found)

    def generated(phase):
        random = draws(f"{phase} times")
        lengths = LENGTHS[random.integers(torch.full((BATCH,), len(LENGTHS)))]
        t = sampler.generated(random, lengths)
        w_average = G.mapping.w_average.clone()
        latents = G.draw_latents(lambda purpose: draws(f"{phase} {purpose}"), BATCH, s.label)
        w = G.mapping(latents.content, latents.label).detach().mean(dim=0)
        G.mapping.w_average.copy_(w_average)
        frames = G(latents, t)
        torch.testing.assert_close(G.mapping.w_average, 0.995 * w_average + 0.005 * w)
        return frames, t

    # G
    frames, t = generated("G")
    logits = D(augment.sample(draws("G augment"), frames.device)(frames), t, s.label)
    update("loss/G", sum(softplus(-x).mean() for x in logits.values()), G, opt_G)
    # D
    frames, t = generated("D")
    fake = D(augment.sample(draws("D fake augment"), frames.device)(frames.detach()), t, s.label)
    real = D(augment.sample(draws("D real augment"), frames.device)(s.real), s.t, s.label)
    loss = sum(softplus(x).mean() for x in fake.values()) + sum(softplus(-x).mean() for x in real.values())
    update("loss/D", loss, D, opt_D)
    # R1, every 16 steps, 16 times
    norms = r1(D, s, augment.sample(draws("penalty augment"), frames.device))
    penalty = s.recipe.loss.r1_gamma / 2 * sum(x.mean() for x in norms)
    update("loss/penalty", 16 * penalty, D, opt_D)
    losses["loss/penalty"] = penalty.detach()
    # moving average: half-life 20 thousand, at most 0.05 of what was seen; StyleGAN-V counts frames
    seen = STEP * BATCH * (1 if len(norms) == 2 else s.recipe.discriminator.frames)
    keep = 0.5 ** (BATCH / min(20_000, 0.05 * seen))
    average = [keep * a + (1 - keep) * p.detach() for a, p in zip(average, G.parameters(), strict=True)]
    return losses, gradients, G, D, average


def r1(D, s, augment):
    """Squared gradient norms of each head's logits."""
    grad = lambda y, x: torch.autograd.grad(y.sum(), x, create_graph=True)[0].square()  # noqa: E731
    if not hasattr(D, "motion"):  # StyleGAN-V: a frame at a time, before augmentation
        x = s.real.clone().requires_grad_()
        return [grad(D(augment(x), s.t, s.label)["video"], x).sum(dim=(2, 3, 4))]
    # DIGAN: the motion head before augmentation, with the plane of the interval; the image head after it
    plane = ((s.t[:, 1] - s.t[:, 0]) / 15).double()[:, None, None, None].expand(-1, 1, SIDE, SIDE)
    x = torch.cat([s.real[:, 0], s.real[:, 1], plane], dim=1).requires_grad_()
    frames = augment(x[:, :6].unflatten(1, (2, 3)))
    motion = D.motion(torch.cat([frames.flatten(1, 2), x[:, 6:]], dim=1), s.label)
    image = frames.detach().flatten(0, 1).requires_grad_()
    return [
        grad(D.image(image, s.label.repeat_interleave(2, 0)), image).sum(dim=(1, 2, 3)),
        grad(motion, x).sum(dim=(1, 2, 3)),
    ]


def of_trainer(s, micro_batch=BATCH):
    """The same of `TrainingStep`."""
    G, D = networks(s.recipe)
    training = TrainingStep(s.recipe, G, D, Accelerator(cpu=True), LENGTHS)
    gradients = []
    for optimizer in training.optimizers.values():
        optimizer.register_step_pre_hook(
            lambda own, *_: gradients.append([p.grad.clone() for group in own.param_groups for p in group["params"]])
        )
    (parts,) = shares(BATCH, D.group, 1, micro_batch)
    batches = [Batch(s.real[own], s.t[own], s.label[own], [SAMPLES[i] for i in own]) for own in parts]
    log = training(STEP, batches, clips_seen=STEP * BATCH)
    assert all(p.grad is None for module in (G, D) for p in module.parameters())  # nothing is left for the next step
    assert torch.equal(training.ema.module.mapping.w_average, training.G.mapping.w_average)
    losses = {name: value.mean() for name, value in log.items() if name.startswith("loss/")}
    return losses, gradients, training.G, training.D, list(training.ema.module.parameters())


def flat(tensors):
    return torch.cat([x.detach().flatten() for x in tensors])


def test_a_step_is_the_paper_s(setting):
    expected_losses, expected, G0, D0, average0 = reference(setting)
    losses, gradients, G, D, average = of_trainer(setting)
    assert losses.keys() == expected_losses.keys()
    for name, value in expected_losses.items():
        torch.testing.assert_close(losses[name], value, rtol=1e-9, atol=0)
    assert len(gradients) == len(expected) == 3  # G, D, R1
    start = networks(setting.recipe)
    for actual, wanted in zip(gradients, expected, strict=True):
        assert (flat(actual) - flat(wanted)).norm() < 1e-9 * flat(wanted).norm()
    for before, actual, wanted in zip(start, (G, D), (G0, D0), strict=True):
        moved = flat(wanted.parameters()) - flat(before.parameters())
        assert moved.norm() > 1e-3
        assert (flat(actual.parameters()) - flat(wanted.parameters())).norm() < 1e-5 * moved.norm()
    torch.testing.assert_close(G.mapping.w_average, G0.mapping.w_average, rtol=1e-9, atol=1e-12)
    moved = flat(average0) - flat(start[0].parameters())
    assert (flat(average) - flat(average0)).norm() < 1e-5 * moved.norm()


def test_micro_batches_are_one_batch(setting):
    """To the float32 of ADA's matrices, whose margins are those of the clips that are warped together."""
    losses, whole, *_ = of_trainer(setting)
    same, parts, *_ = of_trainer(setting, micro_batch=BATCH // 2)
    for name, value in losses.items():
        torch.testing.assert_close(same[name], value, rtol=1e-6, atol=0)
    for actual, wanted in zip(parts, whole, strict=True):
        assert (flat(actual) - flat(wanted)).norm() < 1e-5 * flat(wanted).norm()
