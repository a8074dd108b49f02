"""The variants of the paper's ablations, and what the time distances do."""

from __future__ import annotations

import pytest
import torch

from inrvid import build_discriminator
from inrvid.discriminators.hypernetwork import TimeEmbedding

from ..small import small

VARIANTS = [
    {"modulated": modulated, "projection": projection} for modulated in (False, True) for projection in (False, True)
]


def clip(frames, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(4, frames, 3, 32, 32, generator=generator) * 2 - 1, torch.zeros(4, 0)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_distances_condition_the_logit(variant):
    D = build_discriminator(small("discriminators", "hypernetwork", max_frames=64, **variant))
    frames, label = clip(3)
    t = torch.tensor([[0.0, 1.0, 2.0]] * 4)
    near, far = D(frames, t, label)["video"], D(frames, 8 * t, label)["video"]
    conditioned = variant["modulated"] or variant["projection"]
    assert bool((near - far).abs().max() > 1e-4) == conditioned
    torch.testing.assert_close(D(frames, t + 17, label)["video"], near, rtol=1e-4, atol=1e-5)  # distances, not times
    far.sigmoid().sum().backward()
    unreached = [name for name, p in D.named_parameters() if p.grad is None or not p.grad.any()]
    assert unreached == ([] if conditioned else ["time_embedding.table"])


@pytest.mark.parametrize("k", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("concat_resolution", [4, 8, 16])
def test_any_number_of_frames(k, concat_resolution):
    D = build_discriminator(
        small("discriminators", "hypernetwork", frames=k, concat_resolution=concat_resolution, max_frames=64)
    )
    frames, label = clip(k)
    t = torch.arange(k).float().expand(4, -1) * 2
    logits = D(frames, t, label)["video"]
    assert logits.shape == (4,)
    if k > 1:
        assert (D(frames.flip(1), t, label)["video"] - logits).abs().max() > 1e-4  # the order matters


def test_frames_are_seen_alone_before_they_are_concatenated():
    """Above the concatenation a frame's features do not depend on the other frames of its clip."""
    D = build_discriminator(small("discriminators", "hypernetwork", frames=2, concat_resolution=8))
    frames, label = clip(2)
    seen = []
    D.blocks["16"].register_forward_hook(lambda module, inputs, output: seen.append(output))
    t = torch.tensor([[0.0, 1.0]] * 4)
    D(frames, t, label)
    changed = frames.clone()
    changed[:, 1] = 0
    D(changed, t, label)
    torch.testing.assert_close(seen[0][0::2], seen[1][0::2])
    assert not torch.equal(seen[0][1::2], seen[1][1::2])


def test_distances_beyond_the_table_are_its_last_row():
    D = build_discriminator(small("discriminators", "hypernetwork", max_frames=16, time_embedding_dim=5))
    rows = D.time_embedding(torch.tensor([[15.0, 16.0, 900.0, 2.4, 2.6]]))[0, :, :5]
    assert torch.equal(rows[0], rows[1])
    assert torch.equal(rows[0], rows[2])
    assert torch.equal(rows[3], D.time_embedding.table[2])
    assert torch.equal(rows[4], D.time_embedding.table[3])


def test_frequencies_are_there_after_a_build_without_memory_and_a_cast():
    D = build_discriminator(small("discriminators", "hypernetwork"))
    frames, label = clip(3)
    t = torch.tensor([[0.0, 1.0, 5.0]] * 4)
    for assign in (False, True):
        with torch.device("meta"):
            empty = build_discriminator(D.config)
        empty = empty if assign else empty.to_empty(device="cpu")
        empty.load_state_dict(D.state_dict(), assign=assign)
        assert torch.equal(empty(frames, t, label)["video"], D(frames, t, label)["video"])
    before = D.time_embedding.frequencies.clone()
    assert torch.equal(D.bfloat16().time_embedding.frequencies, before)


def test_waves_reach_the_longest_distance_of_any_table():
    assert TimeEmbedding(48, 5).width == 5 + 2 * 6  # 2⁶ is the first power of two from 48 on
    assert TimeEmbedding(64, 5).width == 5 + 2 * 6
