"""Frames are the same, bit by bit, in whatever video they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inrvid import Grid, build_generator
from inrvid.applications.drawing import Scene, draw, frames_at_once
from inrvid.video_io import to_uint8

from ..small import combinations, small_generator
from ..threads import one_thread  # noqa: F401  (a fixture)


@pytest.mark.parametrize(("generator", "motion"), combinations())
def test_a_frame_alone_is_that_of_a_long_video(generator, motion):
    G = build_generator(small_generator(generator, motion, coord_dim=8), seed=0).eval()  # a multiple of four: `drawing`
    inr = G.inr(G.sample_latents(1, seed=3))
    t = torch.arange(37, dtype=torch.float64) + 45000 * (motion != "lstm")
    whole = draw(inr, t, Grid(32, 32))
    for number in (0, 1, 17, 36):
        assert np.array_equal(draw(inr, t[number : number + 1], Grid(32, 32))[0], whole[number])
    assert np.abs(whole.astype(int) - to_uint8(inr(t))[0]).max() <= 1


def test_few_large_frames_at_a_time():
    assert frames_at_once(Grid(32, 32)) == 16
    assert [frames_at_once(Grid(side, side)) for side in (256, 512, 1024, 4096)] == [8, 2, 1, 1]


def test_a_scene_has_its_videos_side_by_side_and_their_difference_behind():
    G = build_generator(small_generator("inr_gan", "global"), seed=0).eval()
    inrs = [G.inr(G.sample_latents(1, seed=seed)) for seed in range(2)]
    scene = Scene(2, inrs.__getitem__, Grid(32, 48), columns=3, difference=True)
    a, b, difference = np.split(scene.draw(torch.arange(3.0)), 3, axis=2)
    assert scene.size == (32, 144)
    assert np.array_equal(a, draw(inrs[0], torch.arange(3.0), Grid(32, 48)))
    assert np.array_equal(difference, np.abs(a.astype(int) - b))
    assert difference.max() > 20


def test_phi_of_few_videos_is_kept_and_of_many_is_not():
    """A picture of a thousand videos would not fit in memory."""
    made = []
    G = build_generator(small_generator("inr_gan", "global"), seed=0).eval()

    def make(number):
        made.append(number)
        return G.inr(G.sample_latents(1, seed=number))

    list(Scene(2, make, Grid(32, 32)).stream(torch.arange(40.0)))
    assert made == [0, 1]
    made.clear()
    list(Scene(6, make, Grid(32, 32)).stream(torch.arange(40.0)))
    assert len(made) == 18
