"""Discriminators, losses and their gradients, against the release's numbers."""

from __future__ import annotations

import pytest
import torch
from inrvid_mocogan_hd.discriminators.residual import ResidualNet
from inrvid_mocogan_hd.losses.contrast import match
from inrvid_mocogan_hd.losses.game import Choices, Scene
from inrvid_mocogan_hd.losses.relativistic import apart, half, penalty
from inrvid_mocogan_hd.losses.views import view
from inrvid_mocogan_hd.official import _motion, _pyramid, residual_state

from inrvid.plugins import registry

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def below(tensors, prefix):
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def real_clips(golden):
    return golden["input.real_u8"] / 255 * 2 - 1


def gradient_distance(module, expected):
    """Relative L2 over all parameters; `expected` by our names."""
    own = dict(module.named_parameters())
    assert set(own) == set(expected)
    actual = torch.cat([kept(torch.zeros_like(p) if p.grad is None else p.grad, expected[n]) for n, p in own.items()])
    wanted = torch.cat([expected[name].flatten() for name in own])
    return (actual - wanted).norm() / wanted.norm()


def kept(actual, expected):
    """The numbers that the file has of a gradient: of large ones every 13th."""
    return actual.flatten()[:: 1 if actual.numel() == expected.numel() else 13]


def scene_of(golden, official, generated, step):
    """A step's scene, its generator's latents, and how it looks at clips."""
    domain = step.split(".")[0]
    D, prefix = official.discriminators[domain].train(), f"{step}."
    frames, latents = generated(official.generator.train(), prefix)
    backwards = tuple(kind for kind in ("real", "fake") if golden[f"{prefix}reverse_{kind}"])
    return Scene(D, real_clips(golden), frames, Choices(int(golden[f"{prefix}frame_k"]), backwards)), latents


def views_of(golden, scene, step, names):
    """The views of that step's own draws, each as the release has it."""
    prefix, views = f"{step}.warp.", []
    for name in names:
        picture = scene.D.picture(scene.fake, 0 if name.startswith("first") else scene.choices.later)
        views.append(view(picture, golden[f"{prefix}{name}.params"]))
        torch.testing.assert_close(views[-1], golden[f"{prefix}{name}.out"], rtol=1e-5, atol=1e-5)
    return tuple(views)


@pytest.mark.parametrize("domain", ["in", "cross"])
@torch.no_grad()
def test_pyramids(golden, official, domain):
    D, frames = official.discriminators[domain], real_clips(golden)
    kinds = {"video": f"{domain}.D_3d."} | ({"image": "in.D_img."} if domain == "in" else {})
    for mode in ("eval", "train"):
        D.train(mode == "train")
        logits = D.heads(D.clip_inputs(frames) | D.picture_inputs(frames, 2))
        for kind, prefix in kinds.items():
            for k in range(2):
                torch.testing.assert_close(logits[f"{kind}{k}"], golden[f"{prefix}logits_{mode}.{k}"], **CLOSE)


@torch.no_grad()
def test_running_statistics(golden, official):
    D, frames = official.discriminators["in"].train(), real_clips(golden)
    D.heads(D.clip_inputs(frames) | D.picture_inputs(frames, 2))
    for network, name in ((D.video, "in.D_3d."), (D.image, "in.D_img.")):
        coarsest = below(golden, f"{name}after_one_forward.scale0_layer1.1.")
        for key, value in coarsest.items():
            torch.testing.assert_close(network[1][3].state_dict()[key], value, **CLOSE)


@torch.no_grad()
def test_pyramid_of_many_time_steps(golden, official, monkeypatch):
    monkeypatch.setattr("inrvid_mocogan_hd.discriminators.pyramid.MANY", 4)
    D = official.discriminators["cross"].train()
    logits = D.heads(D.clip_inputs(real_clips(golden)))
    for k in range(2):
        torch.testing.assert_close(logits[f"video{k}"], golden[f"cross.D_3d.logits_train_pooled_in_time.{k}"], **CLOSE)


@torch.no_grad()
def test_residual_net(golden, official):
    D = official.discriminators["cross"]
    picture = D.picture(real_clips(golden), 1)
    for mode, name in ((False, "eval"), (True, "train"), (True, "train_second_call")):
        logits, projections = D.image.train(mode)(picture)
        torch.testing.assert_close(logits[:, None], golden[f"cross.D_img.logits_{name}"], **CLOSE)
        torch.testing.assert_close(projections, golden[f"cross.D_img.proj_{name}"], **CLOSE)


@torch.no_grad()
def test_residual_net_of_another_size(golden):
    net = ResidualNet(64, channels=2, projection=6).eval()
    weights = below(golden, "biggan_check.")
    results = ("input", "logits_eval", "proj_eval")
    net.load_state_dict(residual_state({name: x for name, x in weights.items() if name not in results}))
    logits, projections = net(golden["biggan_check.input"])
    torch.testing.assert_close(logits[:, None], golden["biggan_check.logits_eval"], **CLOSE)
    torch.testing.assert_close(projections, golden["biggan_check.proj_eval"], **CLOSE)


def test_step_of_the_discriminator_in_domain(golden, official, generated):
    with torch.no_grad():
        scene, _ = scene_of(golden, official, generated, "in.D_step")
    D, loss = scene.D, registry("losses").build({"type": "mocogan_hd"})
    fake, real = (loss.judged(scene, kind) for kind in ("fake", "real"))
    for name, head in (("3d", "video"), ("img", "image")):
        parts = apart(*({h: x for h, x in logits.items() if h.startswith(head)} for logits in (real, fake)))
        for part, value in zip(("real", "fake"), parts, strict=True):
            torch.testing.assert_close(value, golden[f"in.D_step.loss_D_{name}_{part}"], **CLOSE)
    check_penalty(golden, scene, "in.D_step")
    loss.discriminator(scene, golden["in.D_step.gp_alpha"]).backward()
    assert gradient_distance(D.video, below(_pyramid("video", below(golden, "grad.in.D_3d.")), "video.")) < 1e-4
    assert gradient_distance(D.image, below(_pyramid("image", below(golden, "grad.in.D_img.")), "image.")) < 1e-4


def check_penalty(golden, scene, step):
    value = 10 * penalty(scene.D, scene.real, scene.fake, golden[f"{step}.gp_alpha"])
    torch.testing.assert_close(value, golden[f"{step}.gradient_penalty_times_10"], **CLOSE)


def test_step_of_the_generator_in_domain(golden, official, generated):
    scene, latents = scene_of(golden, official, generated, "in.G_step")
    loss = registry("losses").build({"type": "mocogan_hd"})
    real, fake = (loss.judged(scene, kind) for kind in ("real", "fake"))
    for name, head in (("3d", "video"), ("img", "image")):
        own = half(*({h: x for h, x in logits.items() if h.startswith(head)} for logits in (fake, real)))
        torch.testing.assert_close(own, golden[f"in.G_step.loss_G_{name}"], **CLOSE)
    mutual = match(*official.generator.recognised(latents, torch.arange(5).expand(2, -1)))
    torch.testing.assert_close(mutual, golden["in.G_step.loss_mutual"], **CLOSE)
    (loss.generator(scene) + mutual).backward()
    assert gradient_distance(official.generator.head, below(_motion(below(golden, "grad.in.R.")), "head.")) < 1e-4


def test_step_of_the_discriminator_cross_domain(golden, official, generated):
    with torch.no_grad():
        scene, _ = scene_of(golden, official, generated, "cross.D_step")
        views = views_of(golden, scene, "cross.D_step", ("first_view1", "first_view2", "later_view1", "later_view2"))
    D, loss = scene.D, registry("losses").build({"type": "mocogan_hd_cross"})
    before = {name: value.clone() for name, value in D.state_dict().items()}
    fake, real = (D.heads(scene.clips(kind)) for kind in ("fake", "real"))
    for part, value in zip(("real", "fake"), apart(real, fake), strict=True):
        torch.testing.assert_close(value, golden[f"cross.D_step.loss_D_3d_{part}"], **CLOSE)
    check_penalty(golden, scene, "cross.D_step")
    of_pictures = golden["cross.D_step.loss_D_img_real"] + golden["cross.D_step.loss_D_img_fake"]
    expected = of_pictures + 2 * golden["cross.D_step.loss_contrastive"]
    torch.testing.assert_close(loss.pictures(D, views), expected, **CLOSE)

    D.load_state_dict(before)
    loss.discriminator(scene, golden["cross.D_step.gp_alpha"], views).backward()
    assert gradient_distance(D.video, below(_pyramid("video", below(golden, "grad.cross.D_3d.")), "video.")) < 1e-4
    assert gradient_distance(D.image, residual_state(below(golden, "grad.cross.D_img."))) < 1e-4


def test_average_follows(golden, official):
    """The release's step of Adam, and then its average."""
    D = official.discriminators["cross"]
    gradients = residual_state(below(golden, "grad.cross.D_img."))
    parameters = dict(D.image.named_parameters())
    for name, p in parameters.items():
        p.grad = gradients[name]
    torch.optim.Adam(parameters.values(), lr=1e-4, betas=(0.0, 0.999), eps=1e-6).step()
    registry("losses").build({"type": "mocogan_hd_cross"}).after(None, D)
    torch.testing.assert_close(D.average.logit.weight, golden["cross.D_step.ema_after.linear.weight_orig"], **CLOSE)


def test_step_of_the_generator_cross_domain(golden, official, generated):
    scene, latents = scene_of(golden, official, generated, "cross.G_step")
    D, loss = scene.D, registry("losses").build({"type": "mocogan_hd_cross", "match": 5.0})
    first, later = views_of(golden, scene, "cross.G_step", ("first", "later"))
    before = {name: value.clone() for name, value in D.state_dict().items()}
    real, fake = (D.heads(scene.clips(kind)) for kind in ("real", "fake"))
    torch.testing.assert_close(half(fake, real), golden["cross.G_step.loss_G_3d"], **CLOSE)
    logits, projected = D.image(later)
    torch.testing.assert_close(-logits.mean(), golden["cross.G_step.loss_G_img"], **CLOSE)
    torch.testing.assert_close(match(projected, D.image(first)[1]), golden["cross.G_step.loss_match"], **CLOSE)

    D.load_state_dict(before)
    D.requires_grad_(False)
    mutual = match(*official.generator.recognised(latents, torch.arange(5).expand(2, -1)))
    torch.testing.assert_close(mutual, golden["cross.G_step.loss_mutual"], **CLOSE)
    (loss.generator(scene, (first, later), lambda rows: rows) + mutual).backward()
    assert gradient_distance(official.generator.head, below(_motion(below(golden, "grad.cross.R.")), "head.")) < 1e-4
    torch.testing.assert_close(D.queues[0], golden["cross.G_step.q_real_after"], **CLOSE)
    torch.testing.assert_close(D.queues[1], golden["cross.G_step.q_fake_after"], **CLOSE)
    assert int(D.written) == int(golden["cross.G_step.q_ptr_after"])
