"""One suite over every registry entry: a component is tested by being registered."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from inrvid import Grid, InrvidError, VideoGenerator, build_discriminator, build_generator
from inrvid.losses.penalty import r1_norms
from inrvid.random import Draws
from inrvid.registry import REGISTRIES, registry

from .small import combinations, small, small_generator

ALL = [(kind, name) for kind in REGISTRIES for name in registry(kind).names()]
DISCRIMINATORS = registry("discriminators").names()
LABELS = [0, 3]


def gradients_everywhere(module: nn.Module) -> list[str]:
    """Names of parameters that no gradient reached."""
    return [name for name, p in module.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_entry_is_described_and_validates(kind, name):
    assert 10 < len(registry(kind).summary(name)) < 110
    config_class = registry(kind).config_class(name)
    config = registry(kind).validate({"type": name})
    assert config.type == name
    assert config_class.__qualname__.endswith(".Config")
    undocumented = [key for key, field in config_class.model_fields.items() if not field.description]
    assert not undocumented
    assert registry(kind).validate(config.model_dump(mode="json")) == config


@pytest.fixture(params=combinations(), ids="-".join)
def names(request):
    return request.param


@pytest.mark.parametrize("label_dim", LABELS)
def test_generator_shapes_gradients_and_state(names, label_dim, tmp_path):
    G = build_generator(small_generator(*names, label_dim=label_dim), seed=1)
    latents = G.sample_latents(3, seed=5)
    assert latents.label.shape == (3, label_dim)
    t = torch.tensor([[0.0, 2.5], [1.0, 7.0], [3.25, 4.0]])
    frames = G(latents, t)
    assert frames.shape == (3, 2, 3, G.resolution, G.resolution)
    (frames * torch.randn(frames.shape, generator=torch.Generator().manual_seed(0))).sum().backward()
    assert gradients_everywhere(G) == []

    G.eval()
    expected = G(latents, t)
    rebuilt = build_generator(G.config, seed=2).eval()
    assert rebuilt.config == G.config
    assert not torch.equal(rebuilt(latents, t), expected)
    rebuilt.load_state_dict(G.state_dict())
    torch.testing.assert_close(rebuilt(latents, t), expected)
    G.save_pretrained(tmp_path)
    torch.testing.assert_close(VideoGenerator.from_pretrained(tmp_path)(latents, t), expected)


@torch.no_grad()
def test_frames_do_not_depend_on_their_neighbours(names):
    G = build_generator(small_generator(*names)).eval()
    latents = G.sample_latents(2, seed=3)
    t = torch.tensor([0.0, 1.5, 40.0, 7.0])
    together = G.inr(latents)(t)
    for i, time in enumerate(t):
        alone = G.inr(latents[1])(time[None])
        torch.testing.assert_close(alone[0, 0], together[1, i], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_times_in_any_form(names):
    """Integers, float64, numpy: the same frames; a generator stays in its own precision."""
    G = build_generator(small_generator(*names)).eval()
    inr = G.inr(G.sample_latents(1))
    expected = inr(torch.tensor([0.0, 3.0]))
    for t in (torch.tensor([0, 3]), torch.tensor([0.0, 3.0], dtype=torch.float64), np.array([0.0, 3.0])):
        frames = inr(t)
        assert frames.dtype == torch.float32
        torch.testing.assert_close(frames, expected)
    torch.testing.assert_close(
        torch.cat(list(inr.stream(torch.arange(20))), dim=1), inr(torch.arange(20)), rtol=1e-4, atol=1e-4
    )


@torch.no_grad()
def test_moves_unless_static(names):
    G = build_generator(small_generator(*names)).eval()
    frames = G.inr(G.sample_latents(1))(torch.tensor([0.0, 3.0, 7.0]))
    change = frames.diff(dim=1).abs().amax(dim=(0, 2, 3, 4))
    assert (change == 0).all() if G.motion.head(4, 4).width == 0 else (change > 1e-3).all()


@torch.no_grad()
def test_same_seed_same_video_in_any_batch(names):
    G = build_generator(small_generator(*names)).eval()
    t = torch.tensor([0.0, 5.0])
    batch = G.inr(G.sample_latents(3, seed=10))(t)
    torch.testing.assert_close(G.inr(G.sample_latents(1, seed=12))(t)[0], batch[2], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_inr_is_indexed_and_interpolated(names):
    G = build_generator(small_generator(*names)).eval()
    inr = G.inr(G.sample_latents(3))
    t = torch.tensor([0.0, 4.0])
    frames = inr(t)
    torch.testing.assert_close(inr[[2, 0]](t), frames[[2, 0]], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(inr[0].lerp(inr[1], 0.0)(t), frames[:1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(inr[0].lerp(inr[1], 1.0)(t), frames[1:2], rtol=1e-3, atol=1e-3)
    for wrong in (torch.zeros(2, 5), torch.zeros(0)):
        with pytest.raises(InrvidError, match="t has shape"):
            inr(wrong)
    with pytest.raises(IndexError, match="video 3 of 3"):
        inr[3]
    torch.testing.assert_close(inr(4.0)[:, 0], frames[:, 1], rtol=1e-4, atol=1e-4)
    assert "3 video(s)" in repr(inr)


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize("label_dim", LABELS)
def test_discriminator_gradients_and_r1(name, label_dim):
    D = build_discriminator(small("discriminators", name, label_dim=label_dim))
    frames, t, label = clip_for(D, label_dim)
    logits = D(frames, t, label)
    assert all(value.shape[0] == 4 for value in logits.values())
    sum(value.sigmoid().sum() for value in logits.values()).backward()
    assert gradients_everywhere(D) == []

    D.zero_grad()
    inputs = D.inputs(frames, t)
    assert set(inputs) == set(logits)
    norms = r1_norms(D, frames, t, label, lambda x: x)
    assert all((value > 0).all() for value in norms.values())
    sum(value.sum() for value in norms.values()).backward()  # the double backward
    weights = [n for n, p in D.named_parameters() if n.endswith("weight") and "mapping" not in n and p.grad is None]
    assert weights == []

    rebuilt = build_discriminator(D.config, seed=9)
    rebuilt.load_state_dict(D.state_dict())
    for head, value in rebuilt(frames, t, label).items():
        torch.testing.assert_close(value, logits[head])


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_r1_is_the_gradient_of_the_logits(name):
    """Against finite differences: a step along the gradient changes the logits by its squared norm."""
    D = build_discriminator(small("discriminators", name, mbstd_group=1)).double()
    frames, t, label = (x.double() for x in clip_for(D, 0))
    norms = r1_norms(D, frames, t, label, lambda x: x)
    inputs = {head: x.detach().requires_grad_() for head, x in D.inputs(frames, t).items()}
    logits = D.heads(inputs, t, label)
    for head, point in inputs.items():
        (gradient,) = torch.autograd.grad(logits[head].sum(), point, retain_graph=True)
        step = 1e-6
        moved = D.heads({**inputs, head: point + step * gradient}, t, label)[head]
        slope = (moved - logits[head]).sum() / step
        torch.testing.assert_close(slope, norms[head].sum(), rtol=1e-3, atol=1e-9)


def clip_for(D, label_dim):
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(4, D.frames, 3, 32, 32, generator=generator) * 2 - 1
    t = torch.rand(4, D.frames, generator=generator).mul(7).sort(dim=1).values
    label = torch.eye(max(label_dim, 1))[torch.arange(4) % max(label_dim, 1)][:, :label_dim]
    return frames, t, label


@pytest.mark.parametrize("name", registry("coords").names())
@torch.no_grad()
def test_coords_on_any_grid(name):
    """A region's points have the phases that the whole plane has there."""
    torch.manual_seed(0)
    coords = registry("coords").build({"type": name}, dim=5, w_dim=4, size=16)
    predicted = coords.predict(torch.randn(2, 4))
    whole = coords.phase(predicted, Grid(16, 16))
    assert whole.shape[1:] == (16, 16, 5)
    corner = coords.phase(predicted, Grid(8, 4, (0.25, 0.0, 0.5, 0.5)))
    torch.testing.assert_close(corner, whole[:, :8, 4:8], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", registry("coords").names())
def test_every_generator_learns_through_every_coords(name):
    for generator in registry("generators").names():
        config = small("generators", generator)
        if "coords" not in registry("generators").config_class(generator).model_fields:
            continue
        G = build_generator({**config, "coords": {"type": name}})
        G(G.sample_latents(2), torch.tensor([[0.0, 3.0]] * 2)).square().sum().backward()
        assert gradients_everywhere(G) == []


@pytest.mark.parametrize("clips", [2, 6, 8])
@pytest.mark.parametrize("name", registry("discriminators").names())
def test_two_batches_are_judged_as_if_each_were_alone(name, clips):
    """In one call where the discriminator joins them: statistics of a batch, its groups above all, stay its own."""
    D = build_discriminator(small("discriminators", name, label_dim=3, mbstd_group=4), seed=1)
    first, second = (
        (torch.randn(clips, D.frames, 3, 32, 32), torch.rand(clips, D.frames).sort().values * 7, torch.eye(3)[labels])
        for labels in torch.randint(3, (2, clips))
    )
    alone = D(*first), D(*second)
    torch.testing.assert_close(D.both(first, second), alone, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(alone[0][head := next(iter(alone[0]))], alone[1][head], rtol=1e-3)
    torch.testing.assert_close(D(*first), alone[0])  # nothing of it is left


@pytest.mark.parametrize("name", registry("time_samplers").names())
def test_time_sampler(name):
    sampler = registry("time_samplers").build(small("time_samplers", name, frames=2))
    draws = Draws.of_batch(0, "times", 3, range(200))
    t = sampler.generated(draws, torch.arange(200) + 40)
    assert t.shape == (200, sampler.frames)
    assert (t.diff(dim=1) >= 0).all()
    lengths = torch.arange(200) + 40
    frames, times = sampler.real(Draws.of_batch(0, "times", 3, range(200)), lengths)
    assert frames.shape == times.shape == (200, sampler.frames)
    assert frames.dtype == torch.int64
    assert (frames >= 0).all()
    assert (frames < lengths[:, None]).all()
    assert (frames.diff(dim=1) >= 0).all()
    torch.testing.assert_close(times.diff(dim=1), frames.diff(dim=1).float())
    again, _ = sampler.real(Draws.of_batch(0, "times", 3, [7]), lengths[7:8])
    assert torch.equal(again[0], frames[7])


@pytest.mark.parametrize("name", registry("augments").names())
def test_augment_is_one_draw_a_clip(name):
    augment = registry("augments").build({"type": name})
    frame = torch.rand(6, 1, 3, 32, 32) * 2 - 1
    frames = frame.expand(-1, 3, -1, -1, -1).clone().requires_grad_()
    draws = Draws.of_batch(1, "augment", 0, range(6))
    apply = augment.sample(draws, frames.device)
    out = apply(frames)
    assert out.shape == frames.shape
    torch.testing.assert_close(out[:, 0], out[:, 2])  # the same for all frames of a clip
    torch.testing.assert_close(apply(frames), out)  # and at every call
    alone = augment.sample(Draws.of_batch(1, "augment", 0, [4]), frames.device)(frames[4:5])
    torch.testing.assert_close(alone[0], out[4], rtol=1e-4, atol=1e-4)
    (gradient,) = torch.autograd.grad(out.square().sum(), frames, create_graph=True)
    gradient.square().sum().backward()  # R1 differentiates through it twice
    assert frames.grad.abs().sum() > 0


@pytest.fixture
def float16_on_cpu(monkeypatch):
    monkeypatch.setattr("inrvid.layers.half.EMULATE", True)


HALF = ["float16", "bfloat16"]


@pytest.mark.parametrize("dtype", HALF)
def test_generator_in_half_precision(names, dtype, float16_on_cpu):
    """The highest resolutions in half precision: nearly the same frames and gradients."""
    full = build_generator(small_generator(*names), seed=1)
    half = build_generator(small_generator(*names, half_blocks=2, half_dtype=dtype), seed=1)
    latents, t = full.sample_latents(2), torch.tensor([[0.0, 5.0]] * 2)
    expected, actual = full(latents, t), half(latents, t)
    assert actual.dtype == torch.float32
    assert (actual - expected).norm() < 0.05 * expected.norm()
    for module, frames in ((full, expected), (half, actual)):
        (frames.square().mean()).backward()
        assert gradients_everywhere(module) == []
    assert gradient_distance(half, full) < 0.15
    with torch.no_grad():
        assert (half.eval().inr(latents)(t) - expected).norm() < 0.05 * expected.norm()


def test_cpu_runs_float16_blocks_in_float32():
    """Published recipes have float16 blocks, and a CPU takes many times longer in it."""
    full = build_generator(small_generator("stylegan2", "global"), seed=1)
    half = build_generator(small_generator("stylegan2", "global", half_blocks=2, half_dtype="float16"), seed=1)
    latents = full.sample_latents(1)
    torch.testing.assert_close(half(latents, 3.0), full(latents, 3.0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize("dtype", HALF)
def test_discriminator_in_half_precision(name, dtype, float16_on_cpu):
    full = build_discriminator(small("discriminators", name), seed=1)
    half = build_discriminator(small("discriminators", name, half_blocks=2, half_dtype=dtype), seed=1)
    frames, t, label = clip_for(full, 0)
    for module in (full, half):
        norms = r1_norms(module, frames, t, label, lambda x: x)
        total = sum(value.mean() for value in norms.values()) * 100  # as large as the logits' own gradients
        (total + sum(value.mean() for value in module(frames, t, label).values())).backward()
    assert gradient_distance(half, full) < 0.15


def gradient_distance(module, reference):
    """Relative L2 distance over all parameters."""
    pairs = list(zip(module.parameters(), reference.parameters(), strict=True))
    actual, expected = (torch.cat([p[i].grad.flatten() for p in pairs if p[1].grad is not None]) for i in (0, 1))
    assert actual.isfinite().all()
    return (actual - expected).norm() / expected.norm()
