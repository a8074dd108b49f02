"""First-frame-aware motion: what the noise moves, and from when on; and its times."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from inrvid.plugins import Draws, registry

MOTION = {"type": "first_frame", "distance": 4.0, "code_dim": 8, "kernel": 3}


@pytest.mark.parametrize("label_dim", [0, 3])
@torch.no_grad()
def test_frame_0_does_not_depend_on_the_noise(small_generator, backbone, label_dim):
    G = small_generator(backbone, MOTION, label_dim=label_dim)
    latents = G.sample_latents(1, seed=1, label=0 if label_dim else None)[[0, 0, 0]]
    others = dataclasses.replace(latents, motion=G.sample_latents(3, seed=5).motion)
    frames = G.inr(others)(torch.tensor([0.0, 0.5, 9.0, -3.0, -1e6]))
    first = frames[:1, :1].expand(3, 1, -1, -1, -1)
    torch.testing.assert_close(frames[:, :1], first, rtol=0, atol=1e-6)
    for later in (1, 2):
        assert (frames[1, later] - frames[0, later]).abs().max() > 1e-3
        assert (frames[2, later] - frames[0, later]).abs().max() > 1e-3
    torch.testing.assert_close(frames[:, 3:], first.expand(-1, 2, -1, -1, -1), rtol=0, atol=1e-6)  # it stands still


@torch.no_grad()
def test_noise_of_the_future_changes_nothing(small_generator):
    """Codes 0, 1, 2 lie at 0, 4, 8: noise i is first felt behind code i − 1."""
    G = small_generator("stylegan2", MOTION)
    latents = G.sample_latents(1)
    values = torch.randn(1, 6, 12)
    t = torch.tensor([0.0, 3.9, 4.1, 7.9, 8.1, 11.9])

    def frames(index=None):
        own = values.clone()
        if index is not None:
            own[:, index] += 1
        return G.inr(dataclasses.replace(latents, motion=own))(t)[0]

    plain = frames()
    for index, moved in ((0, []), (1, [1, 2, 3, 4, 5]), (2, [2, 3, 4, 5]), (3, [4, 5]), (4, [])):
        change = (frames(index) - plain).abs().amax(dim=(1, 2, 3))
        assert torch.nonzero(change > 1e-5).flatten().tolist() == moved, index


@torch.no_grad()
def test_late_frames_have_forgotten_the_first():
    trunk = registry("motions").build(MOTION, z_dim=4, label_dim=0, clip_length=8).eval()
    noise = trunk.sample_noise(Draws.of_seeds([0], "motion"))
    t = torch.tensor([[3.0, 15.0, 100.0, 1e6]])
    before = trunk(noise, torch.zeros(1, 0), t).values
    trunk.first += 1
    change = (trunk(noise, torch.zeros(1, 0), t).values - before).abs().amax(dim=(0, 2, 3))
    assert (change[:2] > 1e-6).all()
    assert (change[2:] == 0).all()


@torch.no_grad()
def test_frames_are_accurate_far_out_alone_and_of_explicit_noise(small_generator, backbone):
    G = small_generator(backbone, MOTION)
    latents = G.sample_latents(2, seed=3)
    t = torch.tensor([0.0, 15.5, 1e6], dtype=torch.float64)
    together = G.inr(latents)(t)
    torch.testing.assert_close(G.inr(latents[1])(t[1:2])[0, 0], together[1, 1], rtol=1e-4, atol=1e-4)
    explicit = dataclasses.replace(latents, motion=latents.motion.at(torch.arange(5).expand(2, -1)))
    torch.testing.assert_close(G.inr(explicit)(t[:2]), together[:, :2], rtol=1e-4, atol=1e-4)
    expected = G.double().inr(latents.to(torch.float64))(t)
    assert (together - expected).abs().max() < 1e-3


# The times


def sampler(**keys):
    return registry("time_samplers").build({"type": "first_frame", **keys})


LENGTHS = torch.tensor([20, 60, 200, 5000] * 250)


@pytest.mark.parametrize("anywhere", [False, True])
def test_the_first_time_is_0_and_three_follow(anywhere):
    times = sampler(anywhere=anywhere)
    numbers, real = times.real(Draws.of_batch(0, "times", 0, range(1000)), LENGTHS)
    generated = times.generated(Draws.of_batch(0, "times", 1, range(1000)), LENGTHS)
    assert torch.equal(numbers - numbers[:, :1], real.long())
    assert (numbers >= 0).all()
    assert (numbers < LENGTHS[:, None]).all()
    assert (numbers[:, 0] > 0).any()  # a clip begins anywhere
    for t, longest in ((real, LENGTHS), (generated, LENGTHS.clamp(max=1024))):
        assert t.shape == (1000, 4)
        assert (t[:, 0] == 0).all()
        assert (t.diff(dim=1) >= 1).all()
        assert (t[:, -1] < longest).all()
        latest = t[LENGTHS == 5000, -1]
        if anywhere:
            assert latest.max() > 900
        else:
            assert set(latest.tolist()) == {4.0, 8.0, 16.0, 32.0, 64.0, 128.0}
            assert set(t[LENGTHS == 60, -1].tolist()) == {4.0, 8.0, 16.0, 32.0}


def test_real_clips_go_as_far_as_generated_ones():
    times, lengths = sampler(anywhere=True, max_frames=256), torch.full((4000,), 5000)
    numbers, real = times.real(Draws.of_batch(0, "times", 0, range(4000)), lengths)
    generated = times.generated(Draws.of_batch(0, "times", 1, range(4000)), lengths)
    assert real.max() < 256
    assert numbers[:, 0].max() > 4000  # a clip itself begins anywhere
    grid = torch.linspace(0.02, 0.98, 49)
    assert (real[:, -1].quantile(grid) - generated[:, -1].quantile(grid)).abs().max() < 16
