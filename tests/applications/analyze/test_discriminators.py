"""What a discriminator makes of times and pixels, of discriminators that are formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inrvid import build_discriminator
from inrvid.applications.analyze.finding import NotPossible
from inrvid.applications.analyze.gradient_maps import gradient_maps, gradients
from inrvid.applications.analyze.intervals import interval_logits

from ...small import small
from ..making import model


class Formula:
    """Logits by head, as functions of (frames, t)."""

    frames = 3

    def __init__(self, **heads):
        self.heads = heads

    def __call__(self, frames, t, label):
        return {name: head(frames, t) for name, head in self.heads.items()}


def test_of_the_same_frames_only_what_is_said_changes():
    G = model("stylegan2", "conv1d")
    latents, seen = G.sample_latents(2), []

    def video(frames, t):
        seen.append((frames, t))
        return t[:, 2] - t[:, 0] + frames[:, 2].mean((1, 2, 3))

    D = Formula(video=video, blind=lambda frames, t: frames.mean((1, 2, 3, 4)))
    finding = interval_logits(G, D, latents, 7)
    said, true = (chart["video"] for chart in finding.charts.values())
    assert [x for x, _ in said] == [2, 3, 4, 5, 6, 7]
    assert np.allclose(np.diff([y for _, y in said]), 1, atol=1e-5)
    assert not np.allclose(np.diff([y for _, y in true]), 1, atol=1e-5)
    assert said[-1] == pytest.approx(true[-1], abs=1e-5)  # there both are the truth
    assert all(list(chart) == ["video"] for chart in finding.charts.values())
    assert all((t == t.floor()).all() for _, t in seen)
    with torch.no_grad():
        torch.testing.assert_close(seen[-3][0], G(latents, seen[-3][1]))


def test_blind_ones_are_told():
    G = model("stylegan2", "conv1d")
    with pytest.raises(NotPossible, match="do not depend on the times"):
        interval_logits(G, Formula(video=lambda frames, t: frames.mean((1, 2, 3, 4))), G.sample_latents(2), 7)


@pytest.mark.parametrize(("name", "head"), [("dual", "motion"), ("hypernetwork", "video")])
def test_the_library_s_own_are_asked(name, head):
    G, D = model("inr_gan", "global"), build_discriminator(small("discriminators", name)).eval()
    finding = interval_logits(G, D, G.sample_latents(4), 7)
    assert all(list(chart) == [head] for chart in finding.charts.values())
    t = torch.arange(D.frames).float().expand(2, -1)
    maps = gradients(D, torch.randn(2, D.frames, 3, 32, 32), t, torch.zeros(2, 0))
    assert all(x.abs().max() > 0 for x in maps.values())
    assert all(p.grad is None for p in D.parameters())


def test_maps_show_what_moves_the_logit():
    weight = torch.zeros(2, 3, 8, 8)
    weight[1, :, 2, 5] = torch.tensor([3.0, 0.0, 4.0])
    D = Formula(video=lambda frames, t: (frames[:, :2] * weight).sum((1, 2, 3, 4)))
    D.frames = 2
    frames = torch.zeros(2, 2, 3, 8, 8)
    finding = gradient_maps(D, frames, torch.zeros(2, 2), torch.zeros(2, 0))
    assert finding.numbers["video"] == {"norm": pytest.approx(5), "of_frame": [0, pytest.approx(1)]}
    picture = finding.pictures["video"]
    assert picture.shape == (2 * 8, 2 * 2 * 8, 3)
    lit = np.argwhere(picture[:, 16:].sum(-1))
    assert lit.tolist() == [[2, 8 + 5], [8 + 2, 8 + 5]]
    assert (picture[:, :16] == 128).all()
