"""The generator as a video that is a function of time."""

from __future__ import annotations

import pytest
import torch

from inrvid import Grid, InrvidError, VideoGenerator, build_generator
from inrvid.plugins import registry
from inrvid.testing import half_everywhere

SMALL = {"type": "mocogan", "resolution": 32, "z_dim": 5, "channel_base": 128, "channel_max": 32, "motion_dim": 4}
T = torch.tensor([[0.0, 2.5], [1.0, 7.0]])


PACKAGES = ("inrvid", "inrvid-mocogan")
"""What others have installed beside them is not this package's to test."""


def small(**keys):
    return build_generator({**SMALL, **keys}, seed=1)


OWN = [name for name in registry("motions").names() if registry("motions").entry(name).package in PACKAGES]


@pytest.mark.parametrize("motion", OWN)
def test_takes_every_motion(motion):
    G = small(motion={"type": motion}, label_dim=3)
    frames = G(G.sample_latents(2), T)
    assert frames.shape == (2, 2, 3, 32, 32)
    assert frames.abs().max() <= 1
    frames.square().sum().backward()
    assert [name for name, p in G.named_parameters() if p.grad is None or not p.grad.any()] == []


@torch.no_grad()
def test_frames_in_evaluation_depend_on_no_neighbour_and_on_no_batch():
    G = small().train()
    G(G.sample_latents(4), torch.arange(8))  # running statistics of its own
    G.eval()
    inr = G.inr(G.sample_latents(3, seed=5))
    together = inr(torch.tensor([0.0, 4.0, 1.5]))
    torch.testing.assert_close(inr[2](1.5)[0, 0], together[2, 2], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(G.inr(G.sample_latents(1, seed=6))(4.0)[0, 0], together[1, 1], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_video_without_motion_stands_still():
    G = small(motion={"type": "static"}).eval()
    frames = G.inr(G.sample_latents(2))(torch.tensor([0.0, 3.0]))
    assert torch.equal(frames[:, 0], frames[:, 1])


def test_is_saved_and_loaded_with_its_statistics(tmp_path):
    G = small(label_dim=2, channels=1)
    with torch.no_grad():
        G(G.sample_latents(3), torch.arange(4))
        expected = G.eval()(G.sample_latents(2), T)
        G.save_pretrained(tmp_path)
        assert expected.shape == (2, 2, 3, 32, 32)  # grey: three equal channels, as everything takes them
        assert torch.equal(expected[:, :, :1].expand_as(expected), expected)
        assert torch.equal(VideoGenerator.from_pretrained(tmp_path)(G.sample_latents(2), T), expected)


def test_the_style_is_the_latent_and_the_class():
    G = small(label_dim=3, w_dim=512)
    assert G.config["w_dim"] == 8
    assert build_generator(G.config).config == G.config
    of_data = registry("generators").validate({"type": "mocogan", "resolution": 16}).model_copy(update={"label_dim": 3})
    assert build_generator(of_data).config["w_dim"] == 53  # classes that the data have brought
    latents = G.sample_latents(2, label=1)
    w = G.mapping(latents.content, latents.label, 0.5)
    assert torch.equal(w, torch.cat([latents.content / 2, latents.label], dim=1))


@torch.no_grad()
def test_styles_enter_by_the_weights_that_it_names():
    G = small()
    w = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    made = G.main[0](torch.cat([w, torch.zeros(2, 4)], dim=1)[..., None, None])
    torch.testing.assert_close(w @ G.style_weights().mT, made.flatten(1))


def test_initial_weights_of_the_release():
    """PyTorch 0.2 counted the input channels of a transposed convolution, and began batch norm anywhere in 0 … 1."""
    release, today = small().state_dict(), small(init="torch").state_dict()
    bound = (1 / (9 * 16)) ** 0.5  # z and motion
    assert 0.95 * bound < release["main.0.weight"].abs().max() <= bound
    assert 0 <= release["main.1.weight"].min() < 0.2 < 0.8 < release["main.1.weight"].max() <= 1
    assert (today["main.1.weight"] == 1).all()
    assert today["main.0.weight"].abs().max() != pytest.approx(bound, rel=0.05)


def test_half_precision_is_nearly_the_same():
    full, half = small().eval(), small(half_blocks=2, half_dtype="bfloat16").eval()
    latents = full.sample_latents(2)
    with half_everywhere():
        expected, actual = full(latents, T), half(latents, T)
        actual.square().sum().backward()
    assert actual.dtype == torch.float32
    assert 1e-5 < (actual - expected).norm() / expected.norm() < 0.05
    assert all(p.grad.dtype == torch.float32 and p.grad.any() for p in half.parameters())


def test_draws_the_whole_plane_alone():
    G = small()
    with pytest.raises(InrvidError, match="draws only the whole frame, at 32x32"):
        G.inr(G.sample_latents(1))(0.0, Grid(64, 64))
    with pytest.raises(InrvidError, match="draws only the whole frame, at 32x32"):  # who asks beforehand is told
        G.check_grid(Grid(64, 64))
