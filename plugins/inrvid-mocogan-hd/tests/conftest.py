"""The release's numbers, and what is made of its weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from inrvid_mocogan_hd import from_official
from safetensors import safe_open

from inrvid import Latents

GOLDEN = Path(__file__).parent / "golden" / "mocogan_hd_a.safetensors"


@pytest.fixture(scope="session")
def golden():
    with safe_open(GOLDEN, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.fixture(scope="session")
def settings():
    with safe_open(GOLDEN, framework="pt") as file:
        return json.loads(file.metadata()["config"])


@pytest.fixture
def official():
    return from_official(GOLDEN)


@pytest.fixture
def generated(golden):
    """(generator, prefix of z, e and noise) → frames `[B, n, 3, R, R]` and their latents."""

    def generate(G, prefix, *, noise=True, t=None):
        z, e = golden[f"{prefix}z"], golden[f"{prefix}e"]
        one_more = torch.cat([e, e[:, :1]], dim=1)  # an explicit sequence serves times before its end
        latents = Latents(z, one_more, torch.zeros(len(z), 0))
        video = G.inr(latents)
        drawn = [name for name in video.phi if name.startswith("noise.")]
        for name in drawn:
            if noise:
                assert video.phi[name].shape == golden[prefix + name][:, 0].shape
                video.phi[name] = golden[prefix + name][:, 0]
            else:
                del video.phi[name]
        return video(torch.arange(G.clip_length) if t is None else t), latents

    return generate
