"""Queues, singular values, views, contrast: what the game is made of."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from inrvid_mocogan_hd import from_official
from inrvid_mocogan_hd.discriminators.spectral import SpectralConv2d
from inrvid_mocogan_hd.losses.contrast import contrastive
from inrvid_mocogan_hd.losses.game import Choices
from inrvid_mocogan_hd.losses.views import drawn, view

from inrvid import InrvidError, build_discriminator
from inrvid.plugins import Draws, registry
from inrvid.testing import small_recipe, train

SMALL = {"frames": 4, "width": 4, "channel_max": 16, "resolution": 32, "clip_length": 8}
CROSS = {"type": "mocogan_hd_cross", **SMALL, "image_channels": 4, "projection": 8, "queue": 10}


def test_spectral_norm_is_the_largest_singular_value():
    layer = SpectralConv2d(6, 5, 3)
    with torch.no_grad():
        layer.weight.normal_()
        for _ in range(300):
            normalised = layer.spectral(layer.weight)
    assert torch.linalg.matrix_norm(normalised.flatten(1), 2).item() == pytest.approx(1, abs=1e-4)
    before = layer.spectral.u.clone()
    layer.eval()(torch.zeros(1, 6, 4, 4))
    assert torch.equal(before, layer.spectral.u)


def test_queues_are_written_over_from_the_oldest():
    D = build_discriminator(CROSS)
    rows = torch.arange(4.0)[:, None].expand(-1, 8)
    for first in (0, 10, 20):
        D.remember(first + rows, 100 + first + rows)
    assert D.used == 8  # two batches of 4 are what 10 have room for
    assert D.queues[0, :8, 0].tolist() == [20, 21, 22, 23, 10, 11, 12, 13]
    assert D.queues[1, :8, 0].tolist() == [120, 121, 122, 123, 110, 111, 112, 113]


def test_average_begins_as_the_network_and_does_not_learn():
    D = build_discriminator(CROSS)
    pairs = list(zip(D.image.parameters(), D.average.parameters(), strict=True))
    assert all(map(torch.equal, *zip(*pairs, strict=True)))
    learned = {id(p) for group in D.parameter_groups() for p in group.parameters}
    assert not any(id(average) in learned for _, average in pairs)
    with torch.no_grad():
        pairs[0][0].add_(1.0)
    D.follow(0.75)
    torch.testing.assert_close(pairs[0][0] - pairs[0][1], torch.full_like(pairs[0][0], 0.75))


def test_contrast_is_the_cross_entropy_of_the_other_view():
    first, second, queue = (torch.randn(n, 5, generator=torch.Generator().manual_seed(n)) for n in (3, 4, 7))
    second = second[:3]
    rows = F.normalize(torch.cat([first, second, queue]), dim=1)
    total = 0.0
    for i in range(6):
        terms = [1.0 if j == i else math.exp(float(rows[i] @ rows[j]) / 0.5) for j in range(13)]
        total -= math.log(terms[(i + 3) % 6] / sum(terms))
    assert contrastive(first, second, queue, 0.5).item() == pytest.approx(total / 6, rel=1e-5)


def test_views():
    numbers = drawn(Draws.of_seeds(range(3000), "view"), 32)
    row, column, length, which, flipped, channel, value = numbers[:, :7].unbind(dim=1)
    assert [(which == n).double().mean().item() for n in range(3)] == pytest.approx([1 / 3] * 3, abs=0.03)
    assert flipped.mean().item() == pytest.approx(0.5, abs=0.03)
    assert [(channel == n).double().mean().item() for n in range(4)] == pytest.approx([0.25] * 4, abs=0.03)
    assert value.abs().max() <= 0.5
    assert 4 <= length.min() <= length.max() <= 8  # an eighth to a fourth
    near = torch.stack([row, column, 32 - row - length, 32 - column - length]).amin(dim=0)
    assert near.max() <= 8  # within a fourth of a border
    assert torch.equal(drawn(Draws.of_seeds([7], "view"), 32)[0], numbers[7])
    pictures = torch.rand(3000, 3, 32, 32)[:64] + 0.5
    views = view(pictures, numbers[:64])
    assert views.shape == pictures.shape
    coloured = which[:64] == 1
    change = (views - pictures)[coloured].flatten(2)
    outside = change.median(dim=2).values  # most pixels of a channel
    wanted = torch.where((channel[:64, None] == 0) | (channel[:64, None] == torch.arange(1, 4)), value[:64, None], 0.0)
    torch.testing.assert_close(outside, wanted[coloured].float(), rtol=0, atol=1e-4)


def test_choices_are_the_batch_s():
    def choices(step, samples):
        return Choices.drawn(Draws.of_batch(0, "choices", step, samples), 16)

    assert choices(3, range(4)) == choices(3, range(2, 4))
    many = [choices(step, [0]) for step in range(400)]
    assert {choice.later for choice in many} == set(range(1, 16))
    assert sum("real" in choice.backwards for choice in many) == pytest.approx(200, abs=40)
    assert sum(choice.backwards == ("real", "fake") for choice in many) == pytest.approx(100, abs=40)


@pytest.mark.parametrize("name", ["mocogan_hd", "mocogan_hd_cross"])
def test_a_loss_says_which_parts_it_takes(name, tmp_path):
    parts = {"loss": {"type": name}}
    with pytest.raises(InrvidError, match=f"--set discriminator.type={name}"):
        train(tmp_path / "other", small_recipe(parts))
    own = registry("losses").component(name).test_parts["discriminator"]
    parts["generator.resolution"] = 32
    times = {"type": "consecutive", "max_frames": 4}
    with pytest.raises(InrvidError, match="recognises no motion noise"):
        train(tmp_path / "silent", small_recipe({**parts, "discriminator": own, "time_sampler": times}))


@pytest.mark.parametrize("name", ["mocogan_hd", "mocogan_hd_cross"])
def test_an_adaptive_augmentation_follows_the_logits(name, tmp_path):
    own = registry("losses").component(name)
    ada = {"type": "ada", "initial": 0.5, "interval": 1, "speed_kclips": 0.05}
    trainer = train(tmp_path / "run", small_recipe({"loss": {"type": name}, **own.test_parts, "augment": ada}))
    assert trainer.training.augment.p != 0.5


def test_pictures_that_are_too_small_are_refused():
    with pytest.raises(InrvidError, match="judges pictures of 16x16"):
        build_discriminator({**CROSS, "resolution": 16})


def test_files_of_another_layout_are_refused(tmp_path):
    from safetensors.torch import save_file

    other = tmp_path / "other.safetensors"
    other.write_bytes(b"nothing")
    with pytest.raises(InrvidError, match="not a safetensors file"):
        from_official(other)
    save_file({"some.weight": torch.zeros(2)}, other)
    with pytest.raises(InrvidError, match="it lacks 'conv1"):
        from_official(other)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"frames": 3}, "2 scales need clips of 4 frames or more"),
        ({**CROSS, "frames": 2}, "2 scales need clips of 3 frames or more"),
        ({"scales": 6}, "6 scales need frames of more than 32 pixels"),
    ],
)
def test_clips_that_cannot_be_halved_are_refused(keys, told):
    with pytest.raises(InrvidError, match=told):
        build_discriminator({"type": "mocogan_hd", **SMALL, **keys})


@pytest.mark.parametrize("frames", [4, 5])
def test_as_many_scales_as_are_accepted(frames):
    D = build_discriminator({"type": "mocogan_hd", **SMALL, "frames": frames, "scales": 5})
    clip = torch.zeros(2, frames, 3, 32, 32)
    assert len(D(clip, torch.arange(float(frames)).expand(2, -1), torch.zeros(2, 0))) >= 5
