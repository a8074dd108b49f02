"""MoCoGAN and MoCoGAN+SG2 reproduce what the authors' releases computed: values to 1e-5, gradients to 1e-4."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from inrvid_mocogan import from_official
from inrvid_mocogan.loss import Judged, MocoganLoss
from inrvid_mocogan.official import MOCOGAN, SG2, renamed
from mocogan_golden_files import GOLDEN, assert_buffers, assert_close, below, config_of, golden, gradient_error

from inrvid import Latents
from inrvid.plugins import ExplicitNoise, InstanceNoise

TOGETHER = ["D_image", "D_patch_image", "D_video", "D_patch_video", "D_categorical_video"]


def loaded(name):
    return (*from_official(GOLDEN / f"{name}.safetensors")[:2], golden(name))


@pytest.fixture
def mocogan():
    return loaded("mocogan_a")


@pytest.fixture
def sg2():
    return loaded("mocogan_sg2_a")


def latents_of(tensors, above="input."):
    h0, e, content = (tensors[f"{above}{key}"] for key in ("h0", "e", "content"))
    classes = F.one_hot(tensors[f"{above}category"], config_of("mocogan_a")["dim_z_category"]).float()
    return Latents(content, ExplicitNoise(torch.cat([h0[:, None], e], dim=1)), classes)


def scaled(videos):
    return (videos.float() / 255 - 0.5) / 0.5


def real_frames(tensors):
    video, frame = tensors["input.real_image_video"], tensors["input.real_image_frame"]
    return scaled(tensors["input.real_videos_u8"])[video, :, frame]


def drawn(G, tensors, above):
    """Single frames `[N, 3, 64, 64]`, or clips `[B, 3, 16, 64, 64]`."""
    latents = latents_of(tensors, above)
    if f"{above}frame" in tensors:
        return G(latents, tensors[f"{above}frame"][:, None])[:, 0]
    return G(latents, torch.arange(16)).transpose(1, 2)


def judged(D_I, D_V, frames, clips):
    video, classes = D_V.with_classes(clips)
    return Judged({"image": D_I(frames), "video": video}, classes)


def with_the_release_s_noise(D, seed):
    """Noise layer by noise layer, the next numbers of one generator."""
    generator = torch.Generator().manual_seed(seed)

    def add(layer, inputs, output):
        return inputs[0] + layer.sigma * torch.randn(inputs[0].shape, generator=generator)

    for layer in D.modules():
        if isinstance(layer, InstanceNoise):
            layer.register_forward_hook(add)
    return D


def test_codes_and_frames(mocogan):
    G, _, tensors = mocogan
    latents, t = latents_of(tensors), torch.arange(16)[None].expand(2, -1)
    h = G.motion(latents.motion, latents.label, t)
    assert_close(h, tensors["gru.h"])
    w = G.mapping(latents.content, latents.label)[:, None].expand(-1, 16, -1)
    assert torch.equal(torch.cat([w, G.head(h, w)], dim=2)[..., :26], tensors["z"][..., :26])
    assert_close(G(latents, t)[:, ::4], tensors["frames_eval"])
    G.train()
    assert_close(G(latents, t)[:, ::4], tensors["frames_train"])
    assert_buffers(G, below("G_after_one_forward.", tensors))


@pytest.mark.parametrize("name", TOGETHER)
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_logits(mocogan, name, mode):
    _, discriminators, tensors = mocogan
    D = discriminators[name].train(mode == "train")
    x = real_frames(tensors) if "image" in name else scaled(tensors["input.real_videos_u8"])
    assert_close(D(x), tensors[f"{name}.logits_{mode}"])
    if name == "D_categorical_video":
        logits, classes = D.with_classes(x)
        assert_close(logits, tensors[f"{name}.logits_{mode}"])
        assert_close(classes, tensors[f"{name}.category_logits_{mode}"])


@pytest.mark.parametrize("name", ["D_patch_image", "D_categorical_video"])
def test_logits_with_noise(mocogan, name):
    _, discriminators, tensors = mocogan
    D = with_the_release_s_noise(discriminators[name].train(), config_of("mocogan_a")["noise_seed"])
    x = real_frames(tensors) if "image" in name else scaled(tensors["input.real_videos_u8"])
    assert_close(D(x), tensors[f"{name}.logits_train_noise"])


def test_a_step_of_both_discriminators(mocogan):
    G, discriminators, tensors = mocogan
    D_I, D_V = discriminators["D_patch_image"].train(), discriminators["D_categorical_video"].train()
    G.train()
    with torch.no_grad():
        frames, clips = (drawn(G, tensors, f"train.{network}_fake.") for network in ("D_I", "D_V"))
    real = judged(D_I, D_V, real_frames(tensors), scaled(tensors["input.real_videos_u8"]))
    fake = judged(D_I, D_V, frames, clips)
    label = F.one_hot(tensors["input.real_category"], 6).float()
    loss = MocoganLoss(MocoganLoss.Config(categories=True)).discriminator(real, fake, label)
    loss.backward()
    assert_close(loss, tensors["train.loss_D_I"] + tensors["train.loss_D_V"])
    for network, name in ((D_I, "D_I"), (D_V, "D_V")):
        assert gradient_error(network, below(f"grad.{name}.", tensors)) < 1e-4
        assert_buffers(network, below(f"{name}_after_step.", tensors))


def test_a_step_of_the_generator(mocogan):
    G, discriminators, tensors = mocogan
    D_I, D_V = discriminators["D_patch_image"].train(), discriminators["D_categorical_video"].train()
    G.train()
    frames, clips = (drawn(G, tensors, f"train.G_{what}.") for what in ("images", "videos"))
    label = latents_of(tensors, "train.G_videos.").label
    fake = judged(D_I, D_V, frames, clips)
    loss = MocoganLoss(MocoganLoss.Config(infogan=True)).generator(fake, label)
    loss.backward()
    assert_close(loss, tensors["train.loss_G"])
    assert gradient_error(G, renamed(below("grad.G.", tensors), MOCOGAN)) < 1e-4


def test_sg2_codes_and_frames(sg2):
    G, _, tensors = sg2
    latents = Latents(tensors["input.z"], ExplicitNoise(tensors["input.motion_z"]), tensors["input.label"])
    assert_close(G.mapping(latents.content, latents.label), tensors["mapping.ws"])
    state = G.motion(latents.motion, latents.label, tensors["input.t"])
    assert_close(state.u, tensors["motion.u"])
    assert_close(G.head(state, latents.content), tensors["motion.v"])
    between = G.motion(latents.motion, latents.label, tensors["input.t_fractional"])
    assert_close(G.head(between, latents.content), tensors["motion.v_fractional"])
    with torch.no_grad():
        assert_close(G(latents, tensors["input.t"]), tensors["frames"])


def test_sg2_gradients(sg2):
    G, _, tensors = sg2
    G = G.double().train()
    latents = Latents(tensors["input.z"], ExplicitNoise(tensors["input.motion_z"]), tensors["input.label"])
    frames = G(latents.to(torch.float64), tensors["input.t"])
    weights = tensors["input.frame_weights"].double()
    ((frames * weights).sum() / weights.numel() ** 0.5).backward()
    assert gradient_error(G, renamed(below("grad.G.", tensors), SG2)) < 1e-4


def test_sg2_video_discriminator(sg2):
    _, discriminators, tensors = sg2
    V = discriminators["V"]
    clips = (tensors["input.clip_u8"].float() / 127.5 - 1).transpose(1, 2)
    assert_close(V(clips), tensors["V.logits_eval"])
    logits = V.train()(clips)
    assert_close(logits, tensors["V.logits_train"])
    loss = F.softplus(-logits).mean()
    loss.backward()
    assert_close(loss, tensors["train.loss_video_real"])
    assert gradient_error(V, below("grad.V.", tensors)) < 1e-4
    noisy = with_the_release_s_noise(V, config_of("mocogan_sg2_a")["noise_seed"])
    assert_close(noisy(clips), tensors["V.logits_train_noise"])
