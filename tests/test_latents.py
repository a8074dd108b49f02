from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inrvid import InrvidError, Latents, build_generator
from inrvid.motion.noise import ExplicitNoise, GivenNoise
from inrvid.registry import registry

from .small import small_generator


@pytest.fixture
def generator():
    return build_generator(small_generator("inr_gan", "global", label_dim=3))


@pytest.mark.parametrize("motion", registry("motions").names())
def test_save_and_load(motion, tmp_path):
    G = build_generator(small_generator("inr_gan", motion, label_dim=3)).eval()
    latents = G.sample_latents(3, seed=2)
    latents.save(tmp_path / "a.safetensors")
    t = torch.tensor([0.0, 30.0])
    with torch.no_grad():
        assert torch.equal(G.inr(Latents.load(tmp_path / "a.safetensors"))(t), G.inr(latents)(t))
    save_file({"x": torch.zeros(1)}, tmp_path / "b.safetensors")
    with pytest.raises(InrvidError, match="not a file of latents"):
        Latents.load(tmp_path / "b.safetensors")


def test_each_video_has_its_seed(generator):
    chosen = Latents.joined([generator.sample_latents(1, seed=7), generator.sample_latents(1, seed=3)])
    for seeds in ([7, 3], np.array([7, 3]), torch.tensor([7, 3])):
        latents = generator.sample_latents(2, seed=seeds)
        for name in ("content", "motion", "label"):
            assert torch.equal(getattr(latents, name), getattr(chosen, name))
    for wrong in (1.5, [7], torch.tensor([7]), {7, 3}, [7, 3, 1], [7, 3.5], "73", None):
        with pytest.raises(InrvidError, match="seed: expected a whole number, or 2 of them, one for each video, got"):
            generator.sample_latents(2, seed=wrong)


def test_indexing(generator):
    latents = generator.sample_latents(4, seed=0)
    assert len(latents[-1]) == 1
    assert torch.equal(latents[-1].content, latents.content[3:])
    assert torch.equal(latents[[2, 0]].motion, latents.motion[[2, 0]])


def test_same_content_another_motion(generator):
    one, two = generator.sample_latents(1, seed=0), generator.sample_latents(1, seed=1)
    mixed = one.with_motion(two)
    assert torch.equal(mixed.content, one.content)
    assert torch.equal(mixed.motion, two.motion)


def test_one_motion_for_all(generator):
    latents = generator.sample_latents(3)
    assert torch.equal(latents.with_motion(latents[1]).motion, latents.motion[[1, 1, 1]])
    with pytest.raises(InrvidError, match="motion of 3 videos for 2"):
        latents[[0, 1]].with_motion(latents)
    with pytest.raises(IndexError, match="video 3 of 3"):
        latents[3]


def test_labels(generator):
    assert generator.sample_latents(2, label=2).label.argmax(1).tolist() == [2, 2]
    assert generator.sample_latents(2, label=[0, 1]).label.argmax(1).tolist() == [0, 1]
    drawn = generator.sample_latents(50).label
    assert (drawn.sum(dim=1) == 1).all()
    assert set(drawn.argmax(1).tolist()) == {0, 1, 2}
    for wrong in (3, -1, [0, 1, 2]):
        with pytest.raises(InrvidError, match=r"expected one class of 0 … 2"):
            generator.sample_latents(2, label=wrong)
    with pytest.raises(InrvidError, match="unconditional"):
        build_generator(small_generator("inr_gan", "global")).sample_latents(1, label=0)


def test_given_styles_take_content_s_place(generator, tmp_path):
    G = generator.eval()
    latents = G.sample_latents(2, seed=1)
    ws = G.styles(latents)
    given = dataclasses.replace(latents, content=torch.zeros_like(latents.content), ws=ws)
    given.save(tmp_path / "a.safetensors")
    loaded = Latents.load(tmp_path / "a.safetensors")
    t = torch.tensor([0.0, 5.0])
    with torch.no_grad():
        for psi in (1.0, 0.5):
            assert torch.allclose(G.inr(loaded, psi)(t), G.inr(latents, psi)(t), atol=1e-5)
        assert torch.allclose(G.inr(loaded[1])(t), G.inr(latents[1])(t), atol=1e-5)
    assert loaded.to(torch.float64).ws.dtype == torch.float64


def test_noises_that_were_found_and_a_video_around_them(tmp_path):
    G = build_generator(small_generator("stylegan2", "conv1d")).eval()
    latents = G.sample_latents(2, seed=1)
    values = torch.randn(2, 3, G.z_dim)
    noise = GivenNoise(values, 4, latents.motion)
    index = torch.tensor([[-2, 3, 4, 6, 7]] * 2)
    found = noise.at(index)
    assert torch.equal(found[:, 2:4], values[:, [0, 2]])
    assert torch.equal(found[:, [0, 1, 4]], latents.motion.at(index[:, [0, 1, 4]]))
    dataclasses.replace(latents, motion=noise).save(tmp_path / "a.safetensors")
    loaded = Latents.load(tmp_path / "a.safetensors").motion
    assert torch.equal(loaded.at(index), found)
    assert torch.equal(loaded[[1]].at(index[:1]), found[1:])


@pytest.mark.parametrize("motion", registry("motions").names())
def test_latents_of_several_are_one(motion, tmp_path):
    G = build_generator(small_generator("inr_gan", motion, label_dim=3)).eval()
    latents = G.sample_latents(3, seed=2)
    Latents.joined([latents[0], latents[[1, 2]]]).save(tmp_path / "a.safetensors")
    t = torch.tensor([0.0, 30.0])
    with torch.no_grad():
        assert torch.equal(G.inr(Latents.load(tmp_path / "a.safetensors"))(t), G.inr(latents)(t))


def test_latents_of_different_kinds_are_not_joined():
    G = build_generator(small_generator("stylegan2", "conv1d")).eval()
    one = G.sample_latents(1)
    found = dataclasses.replace(one, motion=GivenNoise(torch.zeros(1, 3, G.z_dim), 0, one.motion))
    explicit = dataclasses.replace(one, motion=ExplicitNoise(torch.zeros(1, 4, G.z_dim)))
    far = dataclasses.replace(one, motion=GivenNoise(torch.zeros(1, 3, G.z_dim), 10**9, one.motion))
    assert len(Latents.joined([found, found])) == 2
    for parts in ([one, explicit], [found, explicit], [found, far]):
        with pytest.raises(InrvidError, match="motion noises of different kinds or lengths"):
            Latents.joined(parts)
    with pytest.raises(InrvidError, match="latents of different kinds"):
        Latents.joined([one, dataclasses.replace(one, ws=G.styles(one))])


def test_noises_that_were_found_and_drawn_ones_are_one_file(tmp_path):
    G = build_generator(small_generator("stylegan2", "conv1d")).eval()
    drawn, other = G.sample_latents(2, seed=3), G.sample_latents(1, seed=8)
    found = [
        dataclasses.replace(other, motion=GivenNoise(torch.randn(1, length, G.z_dim), first, other.motion))
        for length, first in ((3, 4), (2, -1))
    ]
    Latents.joined([drawn, *found]).save(tmp_path / "a.safetensors")
    loaded, index = Latents.load(tmp_path / "a.safetensors"), torch.arange(-5, 12)[None]
    for number, one in enumerate([drawn[0], drawn[1], *found]):
        assert torch.equal(loaded[number].motion.at(index), one.motion.at(index))


def test_content_and_motion_are_drawn_apart():
    latents = build_generator(small_generator("inr_gan", "global")).sample_latents(4)
    assert not torch.isclose(latents.content, latents.motion).any()


@pytest.mark.parametrize("psi", [0.0, 0.3, 1.0])
def test_given_styles_are_truncated_as_those_of_content(psi):
    G = build_generator(small_generator("inr_gan", "global")).eval()
    G.w_average.normal_()
    latents = G.sample_latents(2, seed=1)
    given = dataclasses.replace(latents, ws=G.styles(latents))
    torch.testing.assert_close(G.styles(given, psi), G.styles(latents, psi))
