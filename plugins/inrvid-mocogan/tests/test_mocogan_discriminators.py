"""Both families of discriminators: sizes, which head learns how, what is penalised."""

from __future__ import annotations

import pytest
import torch
from inrvid_mocogan.discriminator_sg2 import VideoCritic
from inrvid_mocogan.two_heads import in_time

from inrvid import InrvidError, build_discriminator
from inrvid.plugins import r1_norms
from inrvid.testing import half_everywhere

SMALL = {"resolution": 32, "channel_base": 128, "channel_max": 16}


def small(name, **keys):
    return build_discriminator({"type": name, **SMALL, **keys})


def clips(D, side=32, classes=0):
    frames = torch.rand(3, D.frames, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    label = torch.eye(max(classes, 1))[torch.arange(3) % max(classes, 1)][:, :classes]
    return frames, torch.arange(float(D.frames)).expand(3, -1), label


def shapes(logits):
    return {head: tuple(value.shape[1:]) for head, value in logits.items()}


@pytest.mark.parametrize(
    ("keys", "image", "video"),
    [
        ({"image": "patch", "video": "patch", "frames": 10}, 10 * 16, 16),
        ({"image": "full", "video": "full"}, 16, 4),
        ({"video": "full", "frames": 13}, 13 * 16, 1),
        ({"video": "full", "resolution": 64, "frames": 16}, 16 * 16, 1),
        ({"image": "full", "video": "patch", "resolution": 128, "frames": 13}, 13 * 25, 64),
    ],
)
def test_mocogan_s_logits(keys, image, video):
    D = small("mocogan", **keys)
    assert shapes(D(*clips(D, D.config["resolution"]))) == {"image": (image,), "video": (video,)}


@pytest.mark.parametrize(
    ("keys", "video"),
    [
        ({}, 4),
        ({"padded": 1}, 8),
        ({"padded": 6, "frames": 4}, 8),
        ({"resolution": 64}, 1),
        ({"resolution": 128}, 25),
        ({"extra_layers": 2}, 4),
        ({"extra_layers": 2, "padded": 5}, 18),
    ],
)
def test_sg2_s_logits(keys, video):
    D = small("mocogan_sg2", video_channels=2, **keys)
    assert shapes(D(*clips(D, D.config["resolution"]))) == {"image": (D.frames,), "video": (video,)}


def test_sg2_has_two_layers_more_at_256_alone():
    counts = {}
    for side in (128, 256, 512):
        with torch.device("meta"):
            D = build_discriminator({"type": "mocogan_sg2", "resolution": side})
        counts[side] = sum(isinstance(layer, torch.nn.Conv3d) for layer in D.modules())
    assert counts == {128: 5, 256: 7, 512: 5}


@pytest.mark.parametrize(("name", "least"), [("mocogan", 16), ("mocogan_sg2", 16)])
def test_the_fewest_frames(name, least):
    D = build_discriminator({"type": name, "resolution": 64, "channel_base": 64, "frames": least})
    D(*clips(D, 64))
    with pytest.raises(InrvidError, match=f"at least {least}"):
        build_discriminator({"type": name, "resolution": 64, "frames": least - 1})


@pytest.mark.parametrize("name", ["mocogan", "mocogan_sg2"])
def test_heads_may_be_asked_alone(name):
    D = small(name).eval()
    frames, t, label = clips(D)
    inputs, both = D.inputs(frames, t), D(frames, t, label)
    for head in both:
        (alone,) = D.heads({head: inputs[head]}, t, label).items()
        assert alone[0] == head
        torch.testing.assert_close(alone[1], both[head])


@pytest.mark.parametrize(("name", "classes"), [("mocogan", 0), ("mocogan", 3), ("mocogan_sg2", 0), ("mocogan_sg2", 3)])
def test_every_parameter_learns(name, classes):
    D = small(name, label_dim=classes)
    frames, t, label = clips(D, classes=classes)
    loss = sum(value.sigmoid().sum() for value in D(frames, t, label).values())
    loss = loss + D.of_clips(in_time(frames))[1].square().sum()
    loss.backward()
    assert [name for name, p in D.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_classes_are_told_of_clips():
    D = small("mocogan", label_dim=3)
    logits, classes = D.of_clips(in_time(clips(D)[0]))
    assert (logits.shape, classes.shape) == ((3, 1, 4), (3, 3, 4))
    assert small("mocogan", label_dim=3, video="full").of_clips(in_time(clips(D)[0]))[1].shape[1] == 0


def test_sg2_s_penalty_and_its_augmentation_s_guide_are_of_frames_alone():
    D = small("mocogan_sg2", label_dim=3)
    frames, t, label = clips(D, classes=3)
    norms = r1_norms(D, frames, t, label, lambda x: x * 2)
    assert {head: value.shape for head, value in norms.items()} == {"image": (3 * 16,)}
    points = frames.flatten(0, 1).requires_grad_()
    logits = D.image(points * 2, label.repeat_interleave(16, dim=0))
    (gradient,) = torch.autograd.grad(logits.sum(), points)
    torch.testing.assert_close(norms["image"], gradient.square().flatten(1).sum(dim=1))
    norms["image"].sum().backward()
    assert all(p.grad is None for p in D.video.parameters())
    assert set(D.steering(D(frames, t, label))) == {"image"}


def test_sg2_s_video_head_learns_at_a_tenth_of_the_rate():
    D = small("mocogan_sg2")
    rates = {p: group.lr_scale for group in D.parameter_groups() for p in group.parameters}
    assert set(rates) == set(D.parameters())
    assert {rates[p] for p in D.image.parameters()} == {1.0}
    assert {rates[p] for p in D.video.parameters()} == {0.1}


def test_grey_frames_are_the_first_channel():
    D = small("mocogan", channels=1).eval()
    frames, t, label = clips(D)
    grey = frames[:, :, :1]
    for head, value in D(frames, t, label).items():
        torch.testing.assert_close(value, D(grey, t, label)[head])


@pytest.mark.parametrize("name", ["mocogan", "mocogan_sg2"])
def test_half_precision_is_nearly_the_same(name):
    gradients = []
    for keys in ({}, {"half_blocks": 2, "half_dtype": "bfloat16"}):
        D = small(name, **keys)
        with half_everywhere():
            sum(value.sigmoid().mean() for value in D(*clips(D)).values()).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in D.parameters()]))
    full, half = gradients
    assert 1e-4 < (half - full).norm() / full.norm() < 0.15


@pytest.mark.parametrize(("side", "logits"), [(64, 1), (80, 4)])
def test_logits_of_a_critic_of_clips_are_rows(side, logits):
    """Where a clip has one, too."""
    critic = VideoCritic([3, 4, 4, 4, 4], full=True).eval()
    assert critic(torch.zeros(2, 3, 16, side, side)).shape == (2, logits)
