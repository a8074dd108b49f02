"""What a projection moves: any motion's noise, at the indices that its times look at."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from inrvid import InrvidError, build_generator
from inrvid.applications.projection import unknowns as module
from inrvid.applications.projection.unknowns import start_of, unknowns
from inrvid.motion.noise import GivenNoise
from inrvid.registry import registry

from ...small import combinations, small_generator


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(module, "SAMPLES", 50)


def made(generator, motion, t=(2.0, 3.5), *, space="w+", move_motion=True):
    torch.manual_seed(0)
    G = build_generator(small_generator(generator, motion)).eval()
    t = torch.tensor(t, dtype=torch.float64)
    latents = G.sample_latents(2, seed=3)
    return G, t, latents, unknowns(G, latents, t, start_of(G, None), space=space, move_motion=move_motion)


@pytest.mark.parametrize(("generator", "motion"), combinations())
def test_every_motion_is_seen_and_nothing_is_changed_by_looking(generator, motion):
    G, t, latents, sought = made(generator, motion)
    found = sought.latents()
    assert found.ws.shape[:2] == (2, G.num_ws)
    with torch.no_grad():
        before = G.inr(dataclasses.replace(latents, ws=found.ws))(t)
        assert torch.equal(G.inr(found)(t), before)
    G.inr(found)(t).square().sum().backward()
    for leaf in sought.leaves.values():
        assert leaf.grad.abs().amax() > 0
    assert ("motion" in sought.leaves) == (motion != "static")


@pytest.mark.parametrize("motion", [m for m in registry("motions").names() if m not in ("global", "static")])
def test_noises_that_are_looked_at_and_no_others(motion):
    """Each of the unknown noises moves a frame; none before or behind them does."""
    G, t, _, sought = made("inr_gan", motion, t=(20.0, 40.0))
    noise = sought.latents().motion
    assert isinstance(noise, GivenNoise)
    last = noise.first + noise.values.shape[1]
    for index, moves in ((noise.first, True), (last - 1, True), (last, False), (noise.first - 1, False)):
        value = noise.at(torch.full((2, 1), index)).detach() + 1
        changed = GivenNoise(value, index, noise)
        latents = sought.latents()
        with torch.no_grad():
            same = torch.equal(G.inr(dataclasses.replace(latents, motion=changed))(t), G.inr(latents)(t))
        assert same != moves, (motion, index)


def test_start_is_the_mean_and_the_length_of_deviations():
    G = made("inr_gan", "global")[0]
    start = start_of(G, None)
    ws = torch.cat([G.styles(G.sample_latents(1, seed=i)) for i in range(50)]).detach()
    torch.testing.assert_close(start.mean, ws.mean(0), rtol=1e-4, atol=1e-5)
    assert start.spread == pytest.approx(float((ws[:, 0] - ws[:, 0].mean(0)).square().sum(1).mean().sqrt()), rel=1e-3)


def test_one_style_for_all_layers():
    _, _, _, sought = made("inr_gan", "global", space="w")
    with torch.no_grad():
        sought.styles += torch.randn(sought.styles.shape)
    ws = sought.latents().ws
    assert torch.equal(ws, ws[:, :1].expand_as(ws))


def test_fixed_motion_is_the_given_one():
    _, _, latents, sought = made("inr_gan", "global", move_motion=False)
    assert set(sought.leaves) == {"styles"}
    assert torch.equal(sought.latents().motion, latents.motion)


def test_noise_stays_as_long_as_noise_is():
    _, _, _, sought = made("inr_gan", "conv1d")
    short = sought.motion[0, 0].detach().clone() * 0.1
    with torch.no_grad():
        sought.motion *= 10
        sought.motion[0, 0] = short
    sought.keep_likely()
    squares = sought.motion.detach().square().mean(-1)
    assert torch.equal(sought.motion[0, 0], short)
    assert squares.flatten()[1:].sub(1 + module.LIKELY * (2 / 12) ** 0.5).abs().amax() < 1e-5


def test_noise_of_another_kind_is_refused(monkeypatch):
    G, t, latents, _ = made("inr_gan", "global")
    pair = dataclasses.replace(latents, motion=(latents.motion, latents.motion))
    with pytest.raises(InrvidError, match=r"GlobalMotion is a tuple.*--motion fixed"):
        unknowns(G, pair, t, start_of(G, None), space="w", move_motion=True)


def test_times_too_far_apart_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_CODES", 40)
    made("inr_gan", "conv1d", t=(0.0,))
    with pytest.raises(InrvidError, match=r"\d+ codes of motion noise .* at most 40 are sought.*--motion fixed"):
        made("inr_gan", "conv1d", t=(0.0, 1000.0))
