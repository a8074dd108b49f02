from __future__ import annotations

import pytest
import torch

from inrvid import InrvidError, build_generator
from inrvid.applications.model import open_model
from inrvid.applications.who import Cast, Who, class_number

from ..small import small_generator


def equal(a, b):
    at = torch.arange(5)[None]
    motions = [m if isinstance(m, torch.Tensor) else m.at(at) for m in (a.motion, b.motion)]
    return torch.equal(a.content, b.content), torch.equal(*motions)


@pytest.fixture(params=["coordinates", "codes"])
def generator(request, models):
    return open_model(models / request.param, cpu=True)


def seeds(generator, *numbers):
    return [generator.sample_latents(1, seed=number) for number in numbers]


def test_videos_are_those_of_seeds(generator):
    cast = Cast(generator, Who.of(seed=3, videos=2))
    assert len(cast) == 2
    for found, expected in zip([cast[0], cast[1]], seeds(generator, 3, 4), strict=True):
        assert equal(found, expected) == (True, True)


def test_videos_of_chosen_seeds(generator):
    cast = Cast(generator, Who.of(seeds=[7, 3, -2]))
    assert len(cast) == 3
    for number, expected in enumerate(seeds(generator, 7, 3, -2)):
        assert equal(cast[number], expected) == (True, True)
    pair = Cast(generator, Who.of(seeds=[7, 3]), [(0, 0), (0, 1)])[1]
    assert equal(pair, seeds(generator, 7)[0]) == (True, False)
    assert equal(pair, seeds(generator, 3)[0]) == (False, True)
    with pytest.raises(InrvidError, match="--seeds: 1 are given, and 2 needed"):
        Cast(generator, Who.of(seeds=[7]), [(0, 0), (0, 1)])


@pytest.mark.parametrize("other", [{"seed": 3}, {"videos": 2}, {"latents": "a.safetensors"}])
def test_chosen_seeds_exclude_other_choices(other):
    with pytest.raises(InrvidError, match="give one of them"):
        Who.of(seeds=[1, 2], **other)


def test_of_one_content_or_one_motion(generator):
    first, second = seeds(generator, 0, 1)
    content = Cast(generator, Who.of(videos=2, same_content=True))[1]
    assert equal(content, first) == (True, False)
    assert equal(content, second) == (False, True)
    motion = Cast(generator, Who.of(videos=2, same_motion=True))[1]
    assert equal(motion, first) == (False, True)
    assert equal(motion, second) == (True, False)


def test_pairs_of_content_and_motion(generator):
    cast = Cast(generator, Who.of(), [(0, 0), (0, 1), (1, 0)])
    first, second = seeds(generator, 0, 1)
    assert len(cast) == 3
    assert equal(cast[2], first) == (False, True)
    assert equal(cast[2], second) == (True, False)


def test_latents_of_a_file_and_new_motions_for_its_content(generator, tmp_path):
    Cast(generator, Who.of(videos=2, seed=5)).save(tmp_path / "two.safetensors")
    file = str(tmp_path / "two.safetensors")
    cast = Cast(generator, Who.of(latents=file))
    assert len(cast) == 2
    assert equal(cast[1], seeds(generator, 6)[0]) == (True, True)
    animated = Cast(generator, Who.of(latents=file, same_content=True, videos=4))
    assert equal(animated[3], seeds(generator, 5)[0]) == (True, False)
    assert equal(animated[3], animated[2]) == (True, False)
    with pytest.raises(InrvidError, match=r"it has 2 videos, 3 are asked for"):
        Cast(generator, Who.of(latents=file, videos=3))


def test_classes_by_name_or_number(models):
    conditional = open_model(models / "coordinates", cpu=True)
    assert [class_number(conditional, label) for label in ("cats", "1", 1, "7", None)] == [1, 1, 1, 2, None]
    with pytest.raises(InrvidError, match=r"no class of that name\. Did you mean 'dogs'\?\n  available: dogs, cats, 7"):
        class_number(conditional, "dgos")
    conditional.class_names = ()
    with pytest.raises(InrvidError, match=r"this model knows no names: a number of 0 … 2"):
        class_number(conditional, "dogs")
    with pytest.raises(InrvidError, match="unconditional"):
        class_number(open_model(models / "codes", cpu=True), "dogs")


def test_a_cast_is_truncated():
    G = build_generator(small_generator("inr_gan", "global")).eval()
    found = Cast(G, Who.of(seed=3, truncation=0.3)).inr(0)
    expected = G.inr(G.sample_latents(1, seed=3), truncation=0.3)
    assert all(torch.equal(found.phi[name], value) for name, value in expected.phi.items())
