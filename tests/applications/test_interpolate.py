from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from inrvid import Grid, InrvidError, build_generator
from inrvid.applications.interpolate import (
    ROWS,
    Request,
    between,
    end,
    frames_between,
    interpolate_videos,
    table_between,
)
from inrvid.registry import registry
from inrvid.video_io import to_uint8

from ..small import combinations, small_generator

T = torch.tensor([0.0, 3.0, 20.0])


def model(generator="inr_gan", motion="global", **keys):
    return build_generator(small_generator(generator, motion, **keys), seed=0).eval()


def ends(generator):
    return generator.sample_latents(1, seed=0), generator.sample_latents(1, seed=1)


@pytest.mark.parametrize("space", ["phi", "z", "w", "motion", "all"])
@pytest.mark.parametrize(("generator", "motion"), combinations())
@torch.no_grad()
def test_ends_of_every_way(generator, motion, space):
    """The first video, and of the second what the way is in."""
    G = model(generator, motion, label_dim=3)
    first, second = ends(G)
    mixed = {
        "phi": second,
        "all": second,
        "motion": first.with_motion(second),
        "z": dataclasses.replace(first, content=second.content),
        "w": first.with_motion(first),
    }[space]
    if space == "w":  # the second one's styles, of its own label
        mixed = dataclasses.replace(first, ws=G.styles(second))
    way = between(G, first, second, space=space)
    torch.testing.assert_close(way(0.0)(T), G.inr(first)(T), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(way(1.0)(T), G.inr(mixed)(T), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("motion", registry("motions").names())
@pytest.mark.parametrize("how", ["linear", "spherical"])
def test_motion_between_is_as_strong_as_at_the_ends_along_the_sphere(motion, how):
    G = model(motion=motion, z_dim=512)
    way = between(G, *ends(G), space="motion", how=how)(0.5)
    noise = way.noise if isinstance(way.noise, torch.Tensor) else way.noise.at(torch.arange(-20, 20)[None])
    if noise.shape[-1]:
        assert abs(float(noise.var()) - {"linear": 0.5, "spherical": 1.0}[how]) < 0.15
    if not isinstance(way.noise, torch.Tensor):
        again = way.noise[[0]].to(torch.float64).at(torch.arange(3)[None])
        torch.testing.assert_close(again.float(), noise[:, 20:23])


def test_w_is_a_straight_line():
    G = model()
    first, second = ends(G)
    middle = G.styles(first).lerp(G.styles(second), 0.5)
    expected = G.inr_of_ws(middle, first.motion, first.label)(T)
    torch.testing.assert_close(between(G, first, second, space="w")(0.5)(T), expected)


def test_frames_go_from_one_video_to_the_other():
    G = model()
    first, second = ends(G)
    way = between(G, first, second)
    frames = np.concatenate(list(frames_between(way, torch.tensor([2.0, 2.0, 5.0]), Grid(32, 32))))
    assert np.abs(frames[0].astype(int) - to_uint8(G.inr(first)(2.0))[0, 0]).max() <= 1
    assert np.abs(frames[1].astype(int) - to_uint8(way(0.5)(2.0))[0, 0]).max() <= 1
    assert np.abs(frames[2].astype(int) - to_uint8(G.inr(second)(5.0))[0, 0]).max() <= 1


def test_a_table_has_a_row_a_weight_and_a_column_a_time():
    G = model()
    first, second = ends(G)
    table = table_between(between(G, first, second), T, Grid(32, 48), rows=4)
    assert table.shape == (4 * 32, 3 * 48, 3)
    last = to_uint8(G.inr(second)(20.0, Grid(32, 48)))[0, 0]
    assert np.abs(table[-32:, -48:].astype(int) - last).max() <= 1


def test_refusals(tmp_path):
    G = model(label_dim=3)
    first, second = ends(G)
    with pytest.raises(InrvidError, match=r"--how spherical: w is not Gaussian: linear, or one of z, motion, all"):
        between(G, first, second, space="w", how="spherical")
    found = dataclasses.replace(second, ws=G.styles(second))
    with pytest.raises(InrvidError, match="--space z: latents with styles of their own have no z"):
        between(G, first, found, space="z")
    G.sample_latents(2).save(tmp_path / "two.safetensors")
    with pytest.raises(InrvidError, match="2 videos: a way goes between two"):
        end(G, str(tmp_path / "two.safetensors"))


def test_ends_are_seeds_or_files(tmp_path):
    G = model(label_dim=3)
    drawn = end(G, "-5", label="1")
    assert torch.equal(drawn.content, G.sample_latents(1, seed=-5).content)
    assert int(drawn.label.argmax()) == 1
    drawn.save(tmp_path / "a.safetensors")
    assert torch.equal(end(G, str(tmp_path / "a.safetensors")).content, drawn.content)


@pytest.mark.parametrize(
    ("name", "ends", "options", "told"),
    [
        ("a.png", "01", {"encoding": {"crf": 0}}, "--crf: only for a video"),
        ("a.png", "01", {"encoding": {"lossless": True}}, "--lossless: only for a video"),
        ("a.mp4", "01", {"rows": 5}, "--rows: only for a picture"),
        ("a.mp4", "01", {"columns": 2}, "--columns: only for a picture"),
        ("a.mp4", "xy", {"label": 0}, "--label: only for seeds"),
    ],
)
def test_options_that_would_do_nothing_are_refused(tmp_path, name, ends, options, told):
    with pytest.raises(InrvidError, match=told):
        interpolate_videos(tmp_path / "none", *ends, tmp_path / name, Request.of(**options))


def test_a_picture_of_one_time_has_one_column_of_enlarged_frames(models, tmp_path):
    request = Request.of(at=3.0, size="8", enlarge=2)
    interpolate_videos(models / "coordinates", "0", "1", tmp_path / "a.png", request, cpu=True)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (2 * 8, 2 * ROWS * 8)


@pytest.mark.parametrize(("name", "size"), [("a.jpg", "2x8192"), ("a.mp4", "2x8192")])
def test_frames_too_wide_for_the_format_are_refused_before_they_are_drawn(models, tmp_path, name, size):
    with pytest.raises(InrvidError, match=rf"\{name[1:]} holds up to [0-9]+ pixels a side"):
        interpolate_videos(
            models / "coordinates", "0", "1", tmp_path / name, Request.of(size=size, enlarge=3), cpu=True
        )
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_does_not_fit_into_memory(models, tmp_path):
    request = Request.of(size="16384", rows=64, columns=64, frames=64)
    with pytest.raises(InrvidError, match=r"4096 frames of 16384x16384 need 61\d\d\.\d GiB.*a smaller picture"):
        interpolate_videos(models / "coordinates", "0", "1", tmp_path / "a.png", request, cpu=True)


def test_truncation_is_of_both_ends():
    G = build_generator(small_generator("inr_gan", "global")).eval()
    first, second = G.sample_latents(1, seed=0), G.sample_latents(1, seed=1)
    t = torch.arange(2.0)
    for space in ("phi", "w"):
        way = between(G, first, second, space=space, truncation=0.0)
        with torch.no_grad():
            own = second if space == "phi" else second.with_motion(first)
            torch.testing.assert_close(way(1.0)(t), G.inr(own, 0.0)(t), rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(way(0.0)(t), G.inr(first, 0.0)(t), rtol=1e-4, atol=1e-4)
