from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from inrvid import InrvidError, Latents, build_generator
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
