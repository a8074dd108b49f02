"""The path and its pictures, against the release's numbers."""

from __future__ import annotations

import pytest
import torch
from inrvid_mocogan_hd.generators.principal import principal_axes
from inrvid_mocogan_hd.losses.contrast import match

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture
def G(official):  # noqa: N802
    return official.generator


def path_of(G, latents, t):
    w = G.mapping(latents.content, latents.label)
    moved = G.head(G.motion(latents.motion, latents.label, t), w)
    return w[:, None] + G.step * moved @ G.axes


@torch.no_grad()
def test_principal_axes(golden):
    axes = principal_axes(iter(golden["pca.w"].split(70)))
    deviations = axes.norm(dim=1)
    torch.testing.assert_close(deviations, golden["pca.stdev"], **CLOSE)
    torch.testing.assert_close(deviations.square() / deviations.square().sum(), golden["pca.var_ratio"], **CLOSE)
    cosines = (axes * golden["pca.comp"]).sum(dim=1).abs() / deviations
    torch.testing.assert_close(cosines, torch.ones_like(cosines), rtol=0, atol=1e-4)


@torch.no_grad()
def test_path(G, golden, generated):
    _, latents = generated(G, "input.")
    torch.testing.assert_close(G.mapping(latents.content, latents.label), golden["w0"], **CLOSE)
    t = torch.arange(5).expand(2, -1)
    h, c = G.head.walk(G.motion(latents.motion, latents.label, t), golden["w0"])
    torch.testing.assert_close(h, golden["lstm.h"], **CLOSE)
    torch.testing.assert_close(c, golden["lstm.c"], **CLOSE)
    torch.testing.assert_close(path_of(G, latents, t), golden["w"], **CLOSE)
    halves = torch.arange(9).expand(2, -1) / 2
    torch.testing.assert_close(path_of(G, latents, halves), golden["w_interpolated"], **CLOSE)


@torch.no_grad()
def test_noise_is_recognised(G, golden, generated):
    _, latents = generated(G, "input.")
    noise, told = G.recognised(latents, torch.arange(5).expand(2, -1))
    torch.testing.assert_close(noise, golden["input.e"])
    torch.testing.assert_close(told, golden["e_rec"], **CLOSE)
    torch.testing.assert_close(match(noise, told), golden["loss.mutual"], **CLOSE)


@pytest.mark.parametrize("training", [False, True])
@torch.no_grad()
def test_frames(G, golden, generated, training):
    G.train(training)
    for noise, name in ((False, "frames"), (True, "frames_noise")):
        frames = generated(G, "input.", noise=noise)[0][:, ::2]  # as they are stored
        torch.testing.assert_close(frames, golden[name], rtol=1e-5, atol=1e-5)
    assert not torch.allclose(golden["frames"], golden["frames_noise"], atol=1e-2)


@torch.no_grad()
def test_frames_between_steps(G, golden, generated):
    frames, _ = generated(G, "input.", noise=False, t=torch.arange(9) / 2)
    torch.testing.assert_close(frames[0, ::3], golden["frames_interpolated_video0_every_third"], rtol=1e-5, atol=1e-5)
