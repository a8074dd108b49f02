"""The discriminator that shifts channels: what a frame gets from which, and what does not depend on their number."""

from __future__ import annotations

import pytest
import torch
from inrvid_stylesv.discriminators.channel_shift import shifted

from inrvid import build_discriminator


def discriminator(**keys):
    sizes = {"resolution": 32, "channel_base": 512, "channel_max": 16, "mbstd_group": 2, "max_frames": 64}
    return build_discriminator({"type": "channel_shift", **sizes, **keys}, seed=0)


def clip(k, label_dim=0):
    draws = torch.Generator().manual_seed(0)
    frames = torch.rand(4, k, 3, 32, 32, generator=draws) * 2 - 1
    return frames, torch.arange(k).float().expand(4, -1), torch.eye(4)[:, :label_dim]


def test_an_eighth_of_the_channels_comes_from_either_neighbour():
    x = torch.arange(1, 7.0)[:, None, None, None].expand(-1, 17, 2, 2)  # two clips of frames 1, 2, 3 and 4, 5, 6
    channels = shifted(x, 3)[:, :, 0, 0]
    assert channels[:, :2].T.tolist() == [[2, 3, 0, 5, 6, 0]] * 2
    assert channels[:, 2:4].T.tolist() == [[0, 1, 2, 0, 4, 5]] * 2
    assert channels[:, 4:].T.tolist() == [[1, 2, 3, 4, 5, 6]] * 13


def test_a_block_above_the_merge_sees_neighbours_and_no_others():
    D = discriminator(frames=4)
    seen = []
    D.blocks["32"].register_forward_hook(lambda module, inputs, output: seen.append(output.unflatten(0, (-1, 4))))
    frames, t, label = clip(4)
    changed = frames.clone()
    changed[:, 0] = 0
    for batch in (frames, changed):
        D(batch, t, label)
    change = (seen[0] - seen[1]).abs().amax(dim=(0, 2, 3, 4))
    assert (change[:2] > 1e-4).all()
    assert (change[2:] == 0).all()


def test_neighbours_enter_before_the_first_convolution_alone():
    """The skip path has the frame's own channels."""
    block = discriminator(frames=3).blocks["32"]
    seen = {}
    for name in ("conv0", "skip"):
        getattr(block, name).register_forward_hook(
            lambda module, inputs, output, name=name: seen.update({name: inputs})
        )
    x = torch.randn(6, 16, 32, 32)
    block(x)
    assert torch.equal(seen["skip"][0], x)
    assert torch.equal(seen["conv0"][0], shifted(x, 3))


def test_clips_are_averaged_at_the_merge():
    D = discriminator(frames=3)
    seen = {}
    D.blocks["32"].register_forward_hook(lambda module, inputs, output: seen.update(above=output))
    D.blocks["16"].register_forward_pre_hook(lambda module, inputs: seen.update(below=inputs[0]))
    D(*clip(3))
    torch.testing.assert_close(seen["below"], seen["above"].unflatten(0, (-1, 3)).mean(dim=1))


@pytest.mark.parametrize("variant", [{}, {"modulated": True}, {"projection": False}], ids=str)
@pytest.mark.parametrize("label_dim", [0, 3])
def test_the_number_of_frames_may_change(variant, label_dim):
    three = discriminator(frames=3, label_dim=label_dim, **variant)
    for k in (1, 2, 5, 16):
        other = discriminator(frames=k, label_dim=label_dim, **variant)
        other.load_state_dict(three.state_dict())
        logits = other(*clip(k, label_dim))["video"]
        assert logits.shape == (4,)
        logits.sum().backward()
        unreached = [name for name, p in other.named_parameters() if p.grad is None]
        assert unreached == []


def test_order_and_distances_count():
    D = discriminator(frames=3)
    frames, t, label = clip(3)
    logits = D(frames, t, label)["video"]
    assert (D(frames.flip(1), t, label)["video"] - logits).abs().max() > 1e-4
    assert (D(frames, 8 * t, label)["video"] - logits).abs().max() > 1e-4
    torch.testing.assert_close(D(frames, t + 17, label)["video"], logits, rtol=1e-4, atol=1e-5)
    blind = discriminator(frames=3, projection=False)
    torch.testing.assert_close(blind(frames, 8 * t, label), blind(frames, t, label))


@pytest.mark.parametrize("motion", ["b_spline", "first_frame"])
def test_it_judges_what_generators_make(small_generator, backbone, motion):
    """And its judgement reaches every parameter of them."""
    G = small_generator(backbone, {"type": motion, "code_dim": 8, "kernel": 3}).train()
    D = discriminator(frames=3)
    t = torch.tensor([[0.0, 1.0, 5.0], [0.0, 2.0, 20.0]])
    latents = G.sample_latents(2)
    D(G(latents, t), t, latents.label)["video"].sum().backward()
    assert [name for name, p in G.named_parameters() if p.grad is None or not p.grad.any()] == []
