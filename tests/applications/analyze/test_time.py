"""Slices through time, repeats, and the diversity of motion."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from inrvid.applications.analyze.long_videos import motion_diversity, repeats
from inrvid.applications.analyze.slices import slices
from inrvid.video_io import to_uint8

from ..making import model

T = torch.arange(20.0)


@torch.no_grad()
def test_a_slice_is_a_line_of_every_frame():
    G = model()
    latents = G.sample_latents(2)
    frames = to_uint8(G.inr(latents)(T))
    finding = slices(G, latents, T, place=0.25)
    x_t, t_y = finding.pictures["x-t"], finding.pictures["t-y"]
    np.testing.assert_array_equal(x_t[:, :32], frames[0, :, 8])
    np.testing.assert_array_equal(x_t[:, 34:66], frames[1, :, 8])
    np.testing.assert_array_equal(t_y[:32], frames[0, :, :, 8].swapaxes(0, 1))
    np.testing.assert_array_equal(t_y[34:66], frames[1, :, :, 8].swapaxes(0, 1))


class Waves:
    """Videos of `period` frames again and again; of no period where it is None."""

    device = torch.device("cpu")

    def __init__(self, period):
        self.period = period

    def inr(self, latents):
        return self

    def stream(self, t):
        pictures = torch.randn(1000, 3, 8, 8, generator=torch.Generator().manual_seed(0))
        for some in t.split(16):
            yield pictures[(some % (self.period or 1000)).long()][None]


def test_what_repeats_has_its_peak_at_its_period():
    (peak,) = repeats(Waves(23), torch.zeros(1, 1), 100).numbers["peaks"]
    assert peak["lag"] % 23 == 0
    assert peak["height"] > 0.95
    assert not peak["rising"]
    (other,) = repeats(Waves(None), torch.zeros(1, 1), 100).numbers["peaks"]
    assert other["height"] < 0.3


class Swing(Waves):
    """One swing in `period` frames."""

    def stream(self, t):
        for some in t.split(16):
            yield torch.sin(2 * torch.pi * some / self.period).float().view(1, -1, 1, 1, 1).expand(1, -1, 3, 8, 8)


def test_what_still_rises_at_the_end_is_said_to():
    finding = repeats(Swing(100), torch.zeros(1, 1), 160)
    (peak,) = finding.numbers["peaks"]
    assert (peak["lag"], peak["rising"]) == (80, True)
    (lines,) = finding.charts.values()
    assert next(iter(lines)).endswith("at 80, still rising")


def test_short_videos_have_no_peak():
    (peak,) = repeats(Waves(3), torch.zeros(1, 1), 10).numbers["peaks"]
    assert peak["height"] == 0


@torch.no_grad()
def test_distances_are_of_all_pairs():
    G = model()
    latents, motions = G.sample_latents(1), G.sample_latents(3, seed=5)
    finding = motion_diversity(G, latents, motions, T)
    (chart,) = finding.charts.values()
    same = G.inr(latents[[0, 0, 0]].with_motion(motions))(T)
    pairs = [(same[i] - same[j]).square().mean((1, 2, 3)) for i, j in itertools.combinations(range(3), 2)]
    expected = torch.stack(pairs).mean(0).sqrt()
    np.testing.assert_allclose([y for _, y in chart["one content, other motions"]], expected, atol=1e-4)
    assert finding.numbers["distance"]["other contents, other motions"] > expected.mean()


def test_without_motion_there_is_no_diversity_of_it():
    G = model("inr_gan", "static")
    finding = motion_diversity(G, G.sample_latents(1), G.sample_latents(3), T)
    assert finding.numbers["distance"]["one content, other motions"] == 0
