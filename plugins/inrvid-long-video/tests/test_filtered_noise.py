"""Motion of filtered noise: its statistics over time, its accuracy far out, what it costs, and both generators."""

from __future__ import annotations

import pytest
import torch

from inrvid.plugins import ConfigError, Draws, InrvidError, SeededNoise, registry

SMALL = {"type": "filtered_noise", "noises": 3, "filters": 5, "shortest_period": 20.0, "longest_period": 80.0}


def trunk(**keys):
    return registry("motions").build({**SMALL, **keys}, z_dim=4, label_dim=0, clip_length=8).eval()


@torch.no_grad()
def test_variance_is_one_at_any_time():
    motion = trunk()
    noise = motion.sample_noise(Draws.of_seeds(range(3000), "motion"))
    t = torch.tensor([-7.3, 0.0, 0.5, 1e6 + 0.25], dtype=torch.float64).expand(3000, -1)
    values = motion(noise, torch.zeros(3000, 0), t).values
    assert values.shape == (3000, 4, 15)
    assert values.mean(dim=0).abs().max() < 0.08
    torch.testing.assert_close(values.square().mean(dim=0), torch.ones(4, 15), rtol=0, atol=0.12)


@torch.no_grad()
def test_long_periods_change_slowly_and_short_ones_fast():
    motion = trunk(noises=1)
    noise = motion.sample_noise(Draws.of_seeds(range(500), "motion"))
    t = torch.tensor([100.0, 104.0, 140.0]).expand(500, -1)
    values = motion(noise, torch.zeros(500, 0), t).values
    near, far = ((values[:, 0] * values[:, i]).mean(dim=0) for i in (1, 2))  # correlations, the longest period first
    assert (near.diff() < 0).all()
    assert near[0] > 0.9
    assert near[-1] < 0.6
    assert far.abs().max() < 0.2


def test_noises_of_a_frame_do_not_grow_with_time_and_are_shared():
    asked = []

    class Counting(SeededNoise):
        def at(self, index):
            asked.append(index.shape[1:].numel())
            return super().at(index)

    motion = trunk()
    noise = motion.sample_noise(Draws.of_seeds([0, 1], "motion"))
    for t in ([0.0], [1e6], [5.0, 5.5, 7.0], [0.0, 1e6]):
        motion(Counting(noise.keys, noise.width), torch.zeros(2, 0), torch.tensor([t] * 2))
    assert asked == [40, 40, 42, 80]


@torch.no_grad()
def test_explicit_noise_is_seeded_noise_and_serves_the_times_that_span_says():
    motion = trunk()
    noise = motion.sample_noise(Draws.of_seeds([4, 5], "motion"))
    explicit = noise.at(torch.arange(motion.span.kept + 5).expand(2, -1))
    label, t = torch.zeros(2, 0), torch.tensor([[0.0, 2.25, 4.99]] * 2)
    torch.testing.assert_close(motion(explicit, label, t).values, motion(noise, label, t).values)
    for late in (5.0, -0.01):
        with pytest.raises(InrvidError, match="code index"):
            motion(explicit, label, torch.tensor([[late]] * 2))


@torch.no_grad()
def test_frames_far_out_alone_and_in_training(small_generator, backbone):
    G = small_generator(backbone, SMALL)
    latents = G.sample_latents(2, seed=3)
    t = torch.tensor([0.0, 15.5, 16.0, 1e6 + 0.5, -1e6], dtype=torch.float64)
    together = G.inr(latents)(t)
    torch.testing.assert_close(G.inr(latents[1])(t[1:2])[0, 0], together[1, 1], rtol=1e-4, atol=1e-4)
    head = next(module for module in G.modules() if type(module).__name__ == "FilteredHead")
    state = G.motion(latents.motion, latents.label, t.expand(2, -1))
    code = head(state, torch.zeros(2, 12))
    torch.testing.assert_close(head(G.motion.train()(latents.motion, latents.label, t.expand(2, -1)), None), code)
    expected = G.eval().double().inr(latents.to(torch.float64))(t)
    assert (together - expected).abs().max() < 1e-3
    assert (expected.diff(dim=1)).abs().amax(dim=(0, 2, 3, 4)).min() > 1e-3  # it moves


@torch.no_grad()
def test_labels_count(small_generator):
    G = small_generator("stylegan2", SMALL, label_dim=3)
    latents = G.sample_latents(1, label=0)
    state = G.motion(latents.motion, latents.label, torch.tensor([[1.0]]))
    other = state._replace(label=torch.eye(3)[1:2])
    assert (G.head(state, latents.content) - G.head(other, latents.content)).abs().max() > 1e-3


def test_periods_must_be_ordered():
    with pytest.raises(ConfigError, match="longest_period 80 is shorter than shortest_period, 90"):
        registry("motions").validate({**SMALL, "shortest_period": 90.0})
    with pytest.raises(ConfigError, match="greater than or equal to 16"):
        registry("motions").validate({**SMALL, "shortest_period": 8.0})
