"""Directions: kept and read again, of one model alone, and what a step along one changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from inrvid import InrvidError, build_generator
from inrvid.applications.edit.closed_form import closed_form
from inrvid.applications.edit.directions import Direction, load_directions, moved, pick, save_directions, strip
from inrvid.applications.edit.video import Request
from inrvid.video_io import to_uint8

from ...small import small_generator
from ..making import model

G = model()
OTHER = Direction("a.b-c", torch.randn(G.num_ws, 12, generator=torch.Generator().manual_seed(0)), "by hand, ünd")


def test_they_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "d.safetensors"
    save_directions(path, [*closed_form(G, 2), OTHER], G)
    found = load_directions(path, G)
    assert list(found) == ["style_1", "style_2", "a.b-c"]
    assert found["a.b-c"].how == "by hand, ünd"
    torch.testing.assert_close(found["a.b-c"].vector, OTHER.vector, rtol=0, atol=0)
    save_directions(tmp_path / "again.safetensors", found.values(), G)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_they_belong_to_one_model(tmp_path):
    save_directions(tmp_path / "d.safetensors", [OTHER], G)
    other = model(motion="conv1d")
    with pytest.raises(InrvidError, match="directions of another model"):
        load_directions(tmp_path / "d.safetensors", other)
    assert load_directions(tmp_path / "d.safetensors")  # to be listed, no model is needed


def test_another_file_is_refused(tmp_path):
    G.sample_latents(1).save(tmp_path / "latents.safetensors")
    (tmp_path / "text").write_text("no tensors, and long enough to be read")
    for name in ("latents.safetensors", "text", "nothing"):
        with pytest.raises(InrvidError, match=f"{name}: not a file of directions: "):
            load_directions(tmp_path / name)


@torch.no_grad()
def test_a_step_moves_styles_and_nothing_else():
    latents = G.sample_latents(2, seed=4)
    edited = moved(G, latents, [(OTHER, 2.0), (OTHER, -0.5)])
    torch.testing.assert_close(edited.ws, G.styles(latents) + 1.5 * OTHER.vector)
    assert edited.motion is latents.motion
    back = moved(G, edited, [(OTHER, -1.5)])
    torch.testing.assert_close(G.inr(back)(3.0), G.inr(latents)(3.0), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_of_truncated_videos():
    G.mapping.w_average.normal_(generator=torch.Generator().manual_seed(0))
    latents = G.sample_latents(1)
    edited = moved(G, latents, [(OTHER, 1.0)], truncation=0.5)
    torch.testing.assert_close(edited.ws, G.styles(latents, 0.5) + OTHER.vector)


def test_a_video_at_another_rate_lasts_as_long():
    t = Request(steps={}, fps=2 * G.fps, start=3).times(G)
    assert len(t) == 2 * G.clip_length
    assert t[:3].tolist() == [3.0, 3.5, 4.0]
    assert Request(steps={}, frames=5, fps=2 * G.fps).times(G).tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_what_does_not_fit_is_refused():
    latents = G.sample_latents(1)
    for shape in ((1, 11), (2, 12)):
        with pytest.raises(InrvidError, match="of another model"):
            moved(G, latents, [(dataclasses.replace(OTHER, vector=torch.zeros(shape)), 1.0)])
    with pytest.raises(InrvidError, match="a name is of letters"):
        dataclasses.replace(OTHER, name="../up")
    with pytest.raises(
        InrvidError, match=r"no direction named 'stile_1'. Did you mean 'style_1'\?\n  there are: style_1"
    ):
        pick({"style_1": OTHER}, "stile_1")


@torch.no_grad()
def test_a_strip_holds_a_row_a_direction():
    latents, directions = G.sample_latents(1, seed=2), closed_form(G, 2)
    shown = strip(G, latents, directions, [-3.0, 0.0, 3.0], at=2.0)
    assert shown.shape == (2, 3, 32, 32, 3)
    for row in (0, 1):
        np.testing.assert_array_equal(shown[row, 1], to_uint8(G.inr(latents)(2.0))[0, 0])
    one = G.inr(moved(G, latents, [(directions[1], 3.0)]))(2.0)
    np.testing.assert_array_equal(shown[1, 2], to_uint8(one)[0, 0])


def test_a_strip_is_truncated():
    G = build_generator(small_generator("inr_gan", "global")).eval()
    G.w_average.normal_()
    latents, direction = G.sample_latents(1), Direction("d", torch.zeros(1, G.config["w_dim"]), "")
    with torch.no_grad():
        expected = to_uint8(G.inr(latents, 0.2)(0.0))[0, 0]
    assert np.abs(strip(G, latents, [direction], [1.0], truncation=0.2)[0, 0].astype(int) - expected).max() <= 1


def test_one_that_is_not_finite_is_refused(tmp_path):
    wrong = dataclasses.replace(OTHER, vector=OTHER.vector.clone().fill_(float("nan")))
    save_directions(tmp_path / "d.safetensors", [wrong], G)
    with pytest.raises(InrvidError, match=r"direction a\.b-c is not finite"):
        load_directions(tmp_path / "d.safetensors")
