"""The search: it finds what a model made itself, in parts as at once, and from its file as in one go."""

from __future__ import annotations

import math

import pytest
import torch

from inrvid import InrvidError
from inrvid.applications.perceptual import Pixels
from inrvid.applications.projection import search as module
from inrvid.applications.projection import state as of_state
from inrvid.applications.projection import unknowns
from inrvid.applications.projection.search import NOISE, SearchOptions, learning_rate, noise_scale, search
from inrvid.applications.targets import as_model

from ..making import generator, own_frames

T = torch.tensor([0.0, 3.0, 7.0])


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(unknowns, "SAMPLES", 50)


def frames(G, *seeds):
    return torch.stack([as_model(own_frames(G, T.tolist(), seed)) for seed in seeds])


def same(a, b):
    return torch.equal(a.latents.ws, b.latents.ws) and torch.equal(a.latents.motion, b.latents.motion)


def test_a_start_that_diverged_is_not_the_best(monkeypatch):
    apart = torch.tensor([[math.nan, 2.0], [1.0, math.inf]])
    best, starts = module._nearest(apart)
    assert (best.tolist(), starts.tolist()) == ([1.0, 2.0], [1, 0])
    G = generator("inr_gan", "global")
    with pytest.raises(InrvidError, match=r"diverged \(no distance is finite\): lower --learning-rate"):
        search(G, frames(G, 7), T, Pixels(16), SearchOptions(steps=4, learning_rate=1e30))


def test_ramps():
    options = SearchOptions(steps=1000)
    rates = [learning_rate(step, options) for step in range(1000)]
    assert max(rates) == rates[400] == 0.1
    assert rates[24] == pytest.approx(0.05)
    assert rates[875] == pytest.approx(0.05)
    assert rates[999] < 1e-5
    assert noise_scale(0, options) == NOISE
    assert noise_scale(375, options) == pytest.approx(NOISE / 4)
    assert noise_scale(750, options) == 0


@pytest.mark.parametrize(("backbone", "motion"), [("inr_gan", "global"), ("stylegan2", "conv1d")])
def test_what_a_model_made_is_found_again(backbone, motion):
    G = generator(backbone, motion)
    target = frames(G, 7)
    steps = []
    found = search(G, target, T, Pixels(16), SearchOptions(steps=80), progress=lambda *step: steps.append(step))
    with torch.no_grad():
        error = (G.inr(found.latents)(T) - target).square().mean()
        first = (G.inr(G.sample_latents(1))(T) - target).square().mean()
    assert error < first / 8
    assert [step[:2] for step in steps] == [(i + 1, 80) for i in range(80)]
    assert float(found.distances[0]) < steps[0][2] / 8
    assert all(parameter.requires_grad for parameter in G.parameters())


def test_videos_and_starts_are_searches_of_their_own():
    """The best start of each is kept, and none feels another."""
    G, options = generator(), SearchOptions(steps=8, starts=3, space="w")
    target = frames(G, 7, 8)
    found = search(G, target, T, Pixels(16), options)
    assert found.all_distances.shape == (3, 2)
    assert torch.equal(found.distances, found.all_distances.min(0).values)
    for video in range(2):
        with torch.no_grad():
            again = Pixels(16)(G.inr(found.latents[video])(T)[0], target[video]).mean()
        assert float(again) == pytest.approx(float(found.distances[video]), rel=1e-4)
    alone = search(G, target[:1], T, Pixels(16), SearchOptions(steps=8, space="w"))
    together = search(G, target[[0, 0]], T, Pixels(16), SearchOptions(steps=8, space="w"))
    torch.testing.assert_close(together.latents.ws[:1], alone.latents.ws, rtol=1e-3, atol=1e-3)


def test_frames_in_parts(monkeypatch):
    """Their gradients add up, as if they had been drawn together."""
    G, target = generator(), frames(generator(), 7)
    at_once = search(G, target, T, Pixels(16), SearchOptions(steps=5))
    monkeypatch.setattr(module, "POINTS", 2 * 16 * 16)
    in_parts = search(G, target, T, Pixels(16), SearchOptions(steps=5))
    torch.testing.assert_close(in_parts.latents.ws, at_once.latents.ws, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(in_parts.distances, at_once.distances, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("points", [1, 4 * 16 * 16])
def test_videos_and_starts_in_parts(monkeypatch, points):
    """No more points than that, or one frame, are drawn at a time, and what is found is the same."""
    G, target, drawn = generator("stylegan2", "conv1d"), frames(generator("stylegan2", "conv1d"), 7, 8, 9), []
    options = SearchOptions(steps=3, starts=2)
    at_once = search(G, target, T, Pixels(16), options)
    monkeypatch.setattr(module, "POINTS", points)
    monkeypatch.setattr(Pixels, "maps", lambda self, x, maps=Pixels.maps: drawn.append(len(x)) or maps(self, x))
    in_parts = search(G, target, T, Pixels(16), options)
    assert max(drawn) == max(1, points // 256)
    torch.testing.assert_close(in_parts.latents.ws, at_once.latents.ws, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(in_parts.all_distances, at_once.all_distances, rtol=1e-3, atol=1e-5)


def test_killed_and_gone_on(tmp_path, monkeypatch):
    """After any step: exactly what one go gives."""
    monkeypatch.setattr(of_state, "SECONDS", 0)
    G, target, options = generator("stylegan2"), frames(generator("stylegan2"), 7), SearchOptions(steps=12)
    whole = search(G, target, T, Pixels(16), options)
    state, done = tmp_path / "a.state", []

    def die(step, of, distance):
        done.append(step)
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(G, target, T, Pixels(16), options, state=state, progress=die)
    assert same(search(G, target, T, Pixels(16), options, state=state, progress=die), whole)
    assert done == [*range(1, 6), *range(6, 13)]
    assert same(search(G, target, T, Pixels(16), options, state=state, progress=die), whole)
    assert len(done) == 12  # nothing was left to do


@pytest.mark.parametrize("what", ["seed", "frames", "weights", "damage"])
def test_state_of_another_search_is_none(tmp_path, what):
    G, state, done = generator(), tmp_path / "a.state", []
    target, options = frames(G, 7), SearchOptions(steps=3)
    search(G, target, T, Pixels(16), options, state=state)
    if what == "seed":
        options = SearchOptions(steps=3, seed=1)
    elif what == "frames":
        target = target * 0.5
    elif what == "weights":
        with torch.no_grad():
            next(G.parameters()).mul_(1.01)
    else:
        state.write_bytes(state.read_bytes()[:-3])
    search(G, target, T, Pixels(16), options, state=state, progress=lambda step, *_: done.append(step))
    assert done == [1, 2, 3]


def test_frames_of_another_size_are_refused():
    G = generator()
    with pytest.raises(InrvidError, match=r"expected \[V, T, 3, 16, 16\] at T"):
        search(G, torch.zeros(1, 3, 3, 8, 8), T, Pixels(16), SearchOptions(steps=1))
    with pytest.raises(InrvidError, match="at 2 times"):
        search(G, torch.zeros(1, 3, 3, 16, 16), T[:2], Pixels(16), SearchOptions(steps=1))


@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
def test_who_keeps_no_gradients_finds_the_same(around):
    """Examples begin with `torch.set_grad_enabled(False)`."""
    G, options = generator(), SearchOptions(steps=3, starts=1)
    target = frames(G, 5)
    expected = search(G, target, T, Pixels(16), options)
    with around():
        found = search(G, target.clone(), T, Pixels(16), options)
    assert torch.equal(found.latents.ws, expected.latents.ws)
    assert expected.distances < search(G, target, T, Pixels(16), options.model_copy(update={"steps": 1})).distances


def test_noise_is_in_lengths_of_deviations():
    G = generator("inr_gan", "global")
    problem = module._Problem.of(G, frames(G, 7), T, Pixels(16), SearchOptions(starts=200, motion="found"))
    shifts = problem._shifts(0)
    assert shifts["motion"].std().item() == pytest.approx(NOISE * math.sqrt(G.z_dim), rel=0.1)
    assert shifts["styles"].std().item() == pytest.approx(NOISE * problem.spread, rel=0.1)


def test_motion_that_is_found_is_as_long_as_noise_is():
    G = generator("inr_gan", "global")
    found = search(G, frames(G, 7), T, Pixels(16), SearchOptions(steps=4, learning_rate=30, motion="found"))
    most = 1 + unknowns.LIKELY * math.sqrt(2 / G.z_dim)
    assert found.latents.motion.square().mean() <= most * 1.001
