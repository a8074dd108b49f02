"""Latents of a file are those of the model, or one line says why not."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from inrvid import InrvidError, Latents
from inrvid.applications.edit.video import Which
from inrvid.applications.latents_file import read_latents
from inrvid.applications.model import open_model
from inrvid.motion.noise import ExplicitNoise, GivenNoise


def test_latents_of_another_model_are_refused(models, tmp_path):
    coordinates, codes = (open_model(models / name, cpu=True) for name in ("coordinates", "codes"))
    own = coordinates.sample_latents(1)
    own.save(tmp_path / "a.safetensors")
    assert torch.equal(read_latents(tmp_path / "a.safetensors", coordinates).motion, own.motion)
    with pytest.raises(InrvidError, match="motion noise of another kind"):
        read_latents(tmp_path / "a.safetensors", codes)
    Latents(own.content[:, :5], own.motion, own.label).save(tmp_path / "a.safetensors")
    with pytest.raises(InrvidError, match=r"content of shape \[5\], where this model's are \[12\]: latents of another"):
        read_latents(tmp_path / "a.safetensors", coordinates)
    Latents(own.content * torch.nan, own.motion, own.label).save(tmp_path / "a.safetensors")
    with pytest.raises(InrvidError, match="content is not finite"):
        read_latents(tmp_path / "a.safetensors", coordinates)


@pytest.fixture(scope="module")
def codes(models):
    return open_model(models / "codes", cpu=True)


def given(codes, **changed):
    """Latents of two videos, with noises that were found."""
    own = codes.sample_latents(2)
    values = own.motion.at(torch.arange(3).expand(2, -1))
    return dataclasses.replace(own, **{"motion": GivenNoise(values, 1, own.motion), **changed})


def test_other_floating_point_numbers_are_taken(codes, tmp_path):
    latents = given(codes)
    latents.to(torch.float64).save(tmp_path / "a.safetensors")
    found = read_latents(tmp_path / "a.safetensors", codes)
    assert found.content.dtype == found.motion.values.dtype == torch.float32
    assert torch.equal(found.content, latents.content)
    with torch.no_grad():
        assert torch.equal(codes.inr(found)(5.0), codes.inr(latents)(5.0))
    assert torch.equal(
        Which(latents=str(tmp_path / "a.safetensors"), index=1).latents_of(codes).content, found.content[1:]
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda x: {"content": x.content.long()}, "content is of int64"),
        (lambda x: {"label": x.label[:1]}, "label of 1 videos, content of 2"),
        (lambda x: {"content": x.content[0, 0]}, "no video in it"),
        (lambda x: {"motion": ExplicitNoise(x.motion.values[..., 1:])}, r"motion.values of shape \[3, 11\], where"),
        (lambda x: {"motion": ExplicitNoise(x.motion.values[:1])}, "motion.values of 1 videos, content of 2"),
        (lambda x: {"motion": ExplicitNoise(x.motion.values[0])}, r"motion.values of shape \[3, 12\]"),
        (lambda x: {"motion": GivenNoise(x.motion.values[:, :0], 0, x.motion)}, r"motion.given of shape \[2, 0, 12\]"),
        (lambda x: {"motion": GivenNoise(x.motion.values * torch.nan, 0, x.motion)}, "motion.given is not finite"),
        (lambda x: {"motion": dataclasses.replace(x.motion.rest, width=10**12)}, "1000000000000 wide, where this"),
        (lambda x: {"motion": dataclasses.replace(x.motion.rest, keys=x.motion.rest.keys[:1])}, "no keys of 2 videos"),
        (lambda x: {"motion": dataclasses.replace(x.motion, first=[1, 2])}, "motion noise of no known kind"),
    ],
)
def test_what_is_none_is_refused(codes, tmp_path, change, told):
    given(codes, **change(given(codes))).save(tmp_path / "a.safetensors")
    with pytest.raises(InrvidError, match=told):
        read_latents(tmp_path / "a.safetensors", codes)
    with pytest.raises(InrvidError, match=told):
        Which(latents=str(tmp_path / "a.safetensors")).latents_of(codes)
