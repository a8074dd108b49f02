"""DIGAN reproduces what the authors' release computed, to 1e-5 (gradients: relative L2 over all, 1e-4)."""

from __future__ import annotations

import copy

import pytest
import torch

from inrvid import Grid, Latents
from inrvid.losses.logistic import LogisticLoss
from inrvid.losses.penalty import r1_norms
from inrvid.models.official import DIGAN, from_official

from .golden_files import GOLDEN, assert_close, golden, gradient_error

CLIP = 16  # frames of the release's clips: unit time is frame / 15


@pytest.fixture(params=["digan_a", "digan_b"], scope="module")
def case(request):
    G, D, _ = from_official(GOLDEN / f"{request.param}.safetensors")
    tensors = golden(request.param)
    latents = Latents(tensors["input.z"], tensors["input.z_motion"], tensors["input.label"])
    return G.eval(), D, tensors, latents


def pair_times(tensors):
    dt = tensors["input.dt_unit"] * (CLIP - 1)
    return torch.stack([torch.zeros_like(dt), dt], dim=1)


def same(frames):
    return frames


def test_mapping_and_truncation(case):
    G, _, tensors, latents = case
    assert_close(G.mapping(latents.content, latents.label), tensors["mapping.ws"])
    assert_close(G.mapping(latents.content, latents.label, 0.6), tensors["mapping.ws_psi0.6"])


def test_frames(case):
    G, _, tensors, latents = case
    with torch.no_grad():
        frames = G.inr(latents)(tensors["input.t_unit"] * (CLIP - 1))
    assert_close(frames, tensors["frames"])


def test_coordinate_embedding(case):
    G, _, tensors, latents = case
    inr = G.inr(latents)
    name = str(G.resolution)
    embedding = G.blocks[name].embedding
    predicted = {key: inr.phi[f"{name}.coords.{key}"] for key in ("frequencies", "offset")}
    phase = embedding.coords.phase(predicted, Grid(G.resolution, G.resolution))[0]  # [H, W, d]
    state = G.motion(latents.motion, latents.label, tensors["input.t_unit"] * (CLIP - 1))
    motion = embedding.motion(state, inr.phi[f"{name}.w"])[0]  # [T, d]
    moved = phase + motion[:, None, None]
    embedding = torch.cat([moved.sin(), moved.cos()], dim=-1).permute(0, 3, 1, 2)
    assert_close(embedding[..., ::2, ::2], tensors["coord_embedding_top"])  # kept at every second point


def test_logits_and_r1(case):
    _, D, tensors, latents = case
    t = pair_times(tensors)
    logits = D(tensors["input.pair"], t, latents.label)
    assert_close(logits["motion"], tensors["D.motion_logits"])
    assert_close(logits["image"], tensors["D.image_logits"])
    norms = r1_norms(D, tensors["input.pair"], t, latents.label, same)
    assert_close(norms["motion"], tensors["D.r1_motion"])
    assert_close(norms["image"].view(-1, 2), tensors["D.r1_image"])


def test_training_losses_and_gradients(case):
    """In float64: a float32 gradient differs from itself by more than the bound when the last bit of z changes,
    where a pre-activation sits at the kink of the leaky ReLU."""
    G, D, tensors, latents = case
    G, D, latents = copy.deepcopy(G).double(), copy.deepcopy(D).double(), latents.to(torch.float64)
    loss = LogisticLoss(LogisticLoss.Config(r1_gamma=1.0))
    t = tensors["input.t_unit_train"].double() * (CLIP - 1)
    pair, pair_t = tensors["input.pair"].double(), pair_times(tensors).double()
    frames = G(latents, t)

    value = loss.generator(D(frames, t, latents.label))
    value.backward()
    assert_close(value.view(1), tensors["train.loss_G"])
    assert gradient_error(G, tensors, "grad.G.", DIGAN.generator) < 1e-5

    D.zero_grad()
    value = loss.discriminator(D(pair, pair_t, latents.label), D(frames.detach(), t, latents.label))
    value.backward()
    assert_close(value.view(1), tensors["train.loss_D_plain"])
    assert gradient_error(D, tensors, "grad.D_plain.", DIGAN.discriminator) < 1e-5

    D.zero_grad()
    value = loss.penalty(D, pair, pair_t, latents.label, same)
    value.backward()
    assert_close(value.view(1), tensors["train.r1_penalty_half_sum"])
    assert gradient_error(D, tensors, "grad.D_r1.", DIGAN.discriminator) < 1e-4


def test_float32_training_step_agrees(case):
    G, D, tensors, latents = case
    t = tensors["input.t_unit_train"] * (CLIP - 1)
    frames = G(latents, t)
    loss = LogisticLoss(LogisticLoss.Config())
    assert_close(loss.generator(D(frames, t, latents.label)).view(1), tensors["train.loss_G"])
    real = D(tensors["input.pair"], pair_times(tensors), latents.label)
    value = loss.discriminator(real, D(frames.detach(), t, latents.label))
    assert_close(value.view(1), tensors["train.loss_D_plain"])
