"""What the page shows for what its controls say."""

from __future__ import annotations

import builtins

import numpy as np
import pytest
import torch

from inrvid import InrvidError, build_generator
from inrvid.applications.explore import Explorer, Video, View
from inrvid.applications.explore_page import page
from inrvid.applications.generate import video_of_seed

from ..small import small_generator


@pytest.fixture(params=["inr_gan", "stylegan2"])
def explorer(request):
    G = build_generator(small_generator(request.param, "global"), seed=1).eval()
    return Explorer(G, {"up": torch.ones(G.w_average.shape[0])})


def test_a_seed_is_the_video_that_generate_makes(explorer):
    t = torch.tensor([0.0, 3.5])
    expected = video_of_seed(explorer.generator, 7, t)
    assert np.array_equal(explorer.clip(Video(content=7, motion=7), t, least=32), expected)
    picture = explorer.picture(Video(content=7, motion=7), 3.5, least=100)  # 32 pixels, each four times
    assert picture.shape == (128, 128, 3)
    assert np.array_equal(picture[::4, ::4], expected[1])


def test_every_control_changes_the_picture(explorer):
    start = explorer.picture(Video(content=1, motion=1), 4.0)
    for other in (
        Video(content=2, motion=1),
        Video(content=1, motion=2),
        Video(content=1, motion=1, truncation=0.3),
        Video(content=1, motion=1, towards=5, weight=0.5),
        Video(content=1, motion=1, directions=(("up", 2.0),)),
    ):
        assert not np.array_equal(explorer.picture(other, 4.0), start), other
    assert not np.array_equal(explorer.picture(Video(content=1, motion=1), 5.0), start)
    assert np.array_equal(explorer.picture(Video(content=1, motion=1, towards=5, weight=0.0), 4.0), start)


def test_views_where_the_model_has_them(explorer):
    wide = View(zoom=0.5, size=64)
    if not explorer.any_grid:
        with pytest.raises(InrvidError, match="stylegan2 draws only the whole frame, at 32x32"):
            explorer.picture(Video(), 1.0, wide)
        return
    whole = explorer.picture(Video(), 1.0, View(), least=32)
    around = explorer.picture(Video(), 1.0, wide, least=64)
    assert np.abs(around[16:48, 16:48].astype(int) - whole.astype(int)).max() <= 1


def test_phi_is_computed_once_a_video(explorer, monkeypatch):
    calls = []
    own = explorer.generator.modulate
    monkeypatch.setattr(explorer.generator, "modulate", lambda ws: calls.append(1) or own(ws))
    for t in (0.0, 1.0, 2.0):
        explorer.picture(Video(content=3), t)
    assert len(calls) == 1


def test_an_unknown_direction_and_no_gradio_are_one_line(explorer, tmp_path, monkeypatch):
    with pytest.raises(InrvidError, match="no direction 'left': there are up"):
        explorer.picture(Video(directions=(("left", 1.0),)), 0.0)
    real = builtins.__import__

    def without(name, *args, **keys):
        if name == "gradio":
            raise ImportError(name)
        return real(name, *args, **keys)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InrvidError, match=r"pip install 'inrvid\[explore\]'"):
        page(explorer, "x", tmp_path)
