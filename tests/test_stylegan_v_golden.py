"""StyleGAN-V reproduces what the authors' release computed, to 1e-5 (gradients: relative L2 over all, 1e-4)."""

from __future__ import annotations

import copy

import pytest
import torch

from inrvid import Latents
from inrvid.losses.logistic import LogisticLoss
from inrvid.losses.penalty import r1_norms
from inrvid.models.official import STYLEGAN_V, from_official
from inrvid.motion.noise import ExplicitNoise

from .golden_files import GOLDEN, assert_close, golden, gradient_error


@pytest.fixture(params=["stylegan_v_a", "stylegan_v_b"], scope="module")
def case(request):
    G, D, _ = from_official(GOLDEN / f"{request.param}.safetensors")
    tensors = golden(request.param)
    latents = Latents(tensors["input.z"], ExplicitNoise(tensors["input.motion_z"]), tensors["input.label"])
    return G.eval(), D, tensors, latents


def same(frames):
    return frames


def test_mapping_and_truncation(case):
    G, _, tensors, latents = case
    assert_close(G.mapping(latents.content, latents.label), tensors["mapping.ws"])
    assert_close(G.mapping(latents.content, latents.label, 0.6), tensors["mapping.ws_psi0.6"])


@pytest.mark.parametrize("training", [False, True])
def test_motion_codes(case, training):
    G, _, tensors, latents = case
    G.train(training)
    state = G.motion(latents.motion, latents.label, tensors["input.t"])
    code = G.head(state, latents.content)
    assert_close(state.left, tensors["motion.motion_u_left"])
    assert_close(state.right, tensors["motion.motion_u_right"])
    assert_close(state.t_left, tensors["motion.t_left"])
    assert_close(state.t_left + state.distance, tensors["motion.t_right"])
    assert_close(state.weight, tensors["motion.interp_weights"])
    assert_close(code, tensors["motion.v"])


@pytest.mark.parametrize("training", [False, True])
def test_frames(case, training):
    """With weights modulated once a video (evaluation), and with features scaled (training)."""
    G, _, tensors, latents = case
    G.train(training)
    with torch.no_grad():
        assert_close(G.inr(latents)(tensors["input.t"]), tensors["frames"])


def test_logits_and_r1(case):
    _, D, tensors, latents = case
    clip, t = tensors["input.clip"], tensors["input.t_clip"]
    assert_close(D(clip, t, latents.label)["video"], tensors["D.logits"])
    assert_close(D.time_embedding(t.diff(dim=1)).flatten(1), tensors["D.time_embedding"])
    norms = r1_norms(D, clip, t, latents.label, same)["video"]
    assert_close(norms.view_as(tensors["D.r1_per_frame"]), tensors["D.r1_per_frame"])


def test_training_losses_and_gradients(case):
    """In float64, for the reason given in test_digan_golden."""
    G, D, tensors, latents = case
    G, D, latents = copy.deepcopy(G).double().train(), copy.deepcopy(D).double(), latents.to(torch.float64)
    loss = LogisticLoss(LogisticLoss.Config(r1_gamma=1.0))
    t, clip, clip_t = (tensors[f"input.{key}"].double() for key in ("t_train", "clip", "t_clip"))
    frames = G(latents, t)
    value = loss.generator(D(frames, t, latents.label))
    value.backward()
    assert_close(value.view(1), tensors["train.loss_G"])
    assert gradient_error(G, tensors, "grad.G.", STYLEGAN_V.generator) < 1e-4

    D.zero_grad()
    penalty = loss.penalty(D, clip, clip_t, latents.label, same)
    penalty.backward()
    assert_close(penalty.view(1), tensors["train.r1_penalty_half_mean"])
    assert gradient_error(D, tensors, "grad.D_r1.", STYLEGAN_V.discriminator) < 1e-4

    value = loss.discriminator(D(clip, clip_t, latents.label), D(frames.detach(), t, latents.label))
    value.backward()  # added to the penalty's
    assert_close((value + penalty).view(1), tensors["train.loss_D_gamma1"])
    assert gradient_error(D, tensors, "grad.D.", STYLEGAN_V.discriminator) < 1e-4
