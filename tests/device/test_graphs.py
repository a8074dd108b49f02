"""Frames by CUDA graphs are those without."""

from __future__ import annotations

import pytest
import torch

from inrvid import InrvidError, build_generator
from inrvid.generators.graphs import Graphs

from .conftest import needs_gpu
from .test_training import shrunk


def generator(name, precision, device):
    return build_generator(shrunk(name, f"train.precision={precision}").generator).to(device).eval()


@pytest.fixture
def deterministic(monkeypatch):
    """A transposed convolution may add in any order, otherwise."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


@needs_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("name", ["digan_ucf", "stylegan_v_ffs", "cross_inr_conv1d_hypernetwork", "stylegan2_image"])
@pytest.mark.usefixtures("deterministic")
@torch.no_grad()
def test_frames_are_bit_identical(name, precision, device):
    """Also of a second video, and of later times, by the graph that the first one recorded."""
    G = generator(name, precision, device)
    graphs = Graphs(G)
    t = torch.arange(40.0)
    for seed in (0, 7):
        inr = G.inr(G.sample_latents(2, seed=seed))
        for found, expected in zip(graphs.stream(inr, t), inr.stream(t), strict=True):
            assert torch.equal(found, expected)
    assert len(graphs._recorded) == 1


def test_without_a_gpu_it_is_said(device):
    with pytest.raises(InrvidError, match="need a generator on a GPU"):
        Graphs(generator("digan_ucf", "fp32", torch.device("cpu")))
