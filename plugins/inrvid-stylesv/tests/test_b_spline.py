"""B-spline motion: the spline's weights, its three embeddings, and how smoothly it passes the codes."""

from __future__ import annotations

import pytest
import torch
from inrvid_stylesv.motion.b_spline import quadratic

from inrvid.plugins import Codes, Draws, registry

EMBEDDINGS = ["waves", "splined", "aligned"]
DISTANCE = 16.0


def motion_and_head(config, *, dtype=torch.float64, width=31):
    """Of float64, in evaluation mode, with some videos' noise: a function t `[T]` → v `[B, T, width]`."""
    torch.manual_seed(0)
    trunk = registry("motions").build(config, z_dim=24, label_dim=0, clip_length=16)
    head = trunk.head(width, 8)
    for module in (trunk, head):
        module.to(dtype).eval()
    noise = trunk.sample_noise(Draws.of_seeds([0, 1], "motion")).to(dtype)
    label, w = torch.zeros(2, 0, dtype=dtype), torch.zeros(2, 8, dtype=dtype)
    return lambda t: head(trunk(noise, label, torch.as_tensor(t, dtype=torch.float64).expand(2, -1)), w), trunk, head


def b_spline(embedding, **keys):
    return {"type": "b_spline", "embedding": embedding, "code_dim": 24, "kernel": 3, **keys}


def test_weights_are_those_of_the_quadratic_b_spline():
    a = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=torch.float64)[:, None]
    expected = torch.tensor([[16, 16, 0], [9, 22, 1], [4, 24, 4], [0, 16, 16]]) / 32
    torch.testing.assert_close(quadratic(a), expected.double())
    (slopes,) = torch.autograd.functional.jacobian(lambda x: quadratic(x).sum(0), a, vectorize=True).permute(2, 1, 0)
    torch.testing.assert_close(slopes[0], torch.tensor([-1.0, 1.0, 0.0], dtype=torch.float64))
    torch.testing.assert_close(slopes[-1], torch.tensor([0.0, -1.0, 1.0], dtype=torch.float64))  # those of the next


def jump(motion, time, step=1e-4):
    """The largest difference of velocities before and behind a time, in those around it."""
    before, at, after = motion([time - step, time, time + step]).unbind(1)
    speed = (motion([time + 1]) - motion([time])).abs().max()
    return float(((after - at) - (at - before)).abs().max() / step / speed)


@pytest.mark.parametrize("time", [DISTANCE, 3 * DISTANCE, 40 * DISTANCE])
@torch.no_grad()
def test_velocity_is_continuous_across_codes(time):
    for embedding in ("waves", "splined"):
        assert jump(motion_and_head(b_spline(embedding))[0], time) < 0.01, embedding
    # The papers' encoding turns a corner there, and so does the wave of `aligned`.
    for config in ({"type": "conv1d", "code_dim": 24, "kernel": 3}, b_spline("aligned")):
        assert jump(motion_and_head(config)[0], time) > 0.1, config["type"]


@torch.no_grad()
def test_waves_are_as_fast_far_out_as_at_the_start():
    """Where `splined`, as it is published, runs away."""

    def speed(motion, t):
        return float((motion([t + 0.01]) - motion([t])).abs().max() / 0.01)

    for embedding, faster in (("waves", 3), ("aligned", 3)):
        motion = motion_and_head(b_spline(embedding))[0]
        assert speed(motion, 1e6 + 5) < faster * speed(motion, 5)
    motion = motion_and_head(b_spline("splined"))[0]
    assert speed(motion, 1e6 + 5) > 10 * speed(motion, 5)


@torch.no_grad()
def test_aligned_is_stylegan_v_s_wave_around_a_spline():
    of_b_spline, trunk, head = motion_and_head(b_spline("aligned"))
    of_conv1d, other, other_head = motion_and_head({"type": "conv1d", "code_dim": 24, "kernel": 3})
    other.load_state_dict(trunk.state_dict())
    other_head.load_state_dict(head.state_dict())
    t = [0.0, 3.0, 16.0, 29.5]
    noise = trunk.sample_noise(Draws.of_seeds([0, 1], "motion")).to(torch.float64)
    codes = trunk(noise, torch.zeros(2, 0), torch.tensor([t] * 2))
    u = head.encoding.aligner(codes.values)
    spline = (quadratic(codes.weight)[..., None] * u).sum(dim=2)
    line = u[:, :, 0].lerp(u[:, :, 1], codes.weight)
    torch.testing.assert_close(of_b_spline(t) - spline, of_conv1d(t) - line)


@torch.no_grad()
def test_embeddings_agree_where_all_codes_are_one():
    """Then nothing is between them: one wave, and the code aligned."""
    values = torch.randn(1, 1, 1, 24, dtype=torch.float64).expand(-1, 3, 3, -1)
    t = torch.tensor([[33.0, 40.0, 47.9]], dtype=torch.float64)
    state = Codes(t, torch.full_like(t, 32.0), DISTANCE, values)
    waves, splined = (motion_and_head(b_spline(name))[2].encoding(state) for name in ("waves", "splined"))
    torch.testing.assert_close(waves, splined)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@torch.no_grad()
def test_frames_are_accurate_a_million_frames_out(small_generator, backbone, embedding):
    G = small_generator(backbone, b_spline(embedding))
    latents = G.sample_latents(2, seed=3)
    t = torch.tensor([0.0, 90_000.25, 1e6 - 0.5, 1e6], dtype=torch.float64)
    actual = G.inr(latents)(t)
    expected = G.double().inr(latents.to(torch.float64))(t)
    assert (actual - expected).abs().max() < 1e-3
    assert (expected[:, 1:] - expected[:, :1]).abs().amax(dim=(0, 2, 3, 4)).min() > 1e-2  # they move


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@torch.no_grad()
def test_frames_alone_are_frames_together_and_explicit_noise_is_seeded_noise(small_generator, embedding):
    G = small_generator("stylegan2", b_spline(embedding))
    latents = G.sample_latents(2, seed=3)
    t = torch.tensor([0.0, 15.5, 40.0])
    together = G.inr(latents)(t)
    torch.testing.assert_close(G.inr(latents[1])(t[1:2])[0, 0], together[1, 1], rtol=1e-4, atol=1e-4)
    values = latents.motion.at(torch.arange(G.motion.span.kept + 3).expand(2, -1))
    explicit = type(latents)(latents.content, values, latents.label)
    torch.testing.assert_close(G.inr(explicit)(t), together)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_training_is_evaluation_in_the_model_s_precision(embedding):
    exact, trunk, head = motion_and_head(b_spline(embedding), dtype=torch.float32)
    t = [0.0, 5.5, 16.0, 31.0]
    expected = exact(t)
    trunk.train(), head.train()
    torch.testing.assert_close(exact(t), expected, rtol=1e-3, atol=1e-3)
