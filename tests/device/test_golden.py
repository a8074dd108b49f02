"""The device computes what the authors' releases computed."""

from __future__ import annotations

import pytest
import torch

from inrvid import Latents
from inrvid.losses.logistic import LogisticLoss
from inrvid.losses.penalty import r1_norms
from inrvid.models.official import DIGAN, STYLEGAN_V, from_official
from inrvid.motion.noise import ExplicitNoise
from inrvid.precision import set_tf32

from ..golden_files import GOLDEN, golden, gradient_error, relative_error

CLIP = 16
LOSS = LogisticLoss(LogisticLoss.Config(r1_gamma=1.0))


class Case:
    """A golden file's networks and inputs on a device."""

    def __init__(self, name: str, device: torch.device):
        G, D, _ = from_official(GOLDEN / f"{name}.safetensors")
        self.G, self.D = G.to(device), D.to(device)
        self.tensors = {key: x.to(device) if x.is_floating_point() else x for key, x in golden(name).items()}
        x = self.tensors
        self.digan = name.startswith("digan")
        if self.digan:
            self.latents = Latents(x["input.z"], x["input.z_motion"], x["input.label"])
            gap = x["input.dt_unit"] * (CLIP - 1)
            self.t, self.t_train = x["input.t_unit"] * (CLIP - 1), x["input.t_unit_train"] * (CLIP - 1)
            self.clip, self.t_clip = x["input.pair"], torch.stack([torch.zeros_like(gap), gap], dim=1)
        else:
            self.latents = Latents(x["input.z"], ExplicitNoise(x["input.motion_z"]), x["input.label"])
            self.t, self.t_train = x["input.t"], x["input.t_train"]
            self.clip, self.t_clip = x["input.clip"], x["input.t_clip"]

    def double(self) -> Case:
        self.G, self.D, self.latents = self.G.double(), self.D.double(), self.latents.to(torch.float64)
        self.t_train, self.clip, self.t_clip = self.t_train.double(), self.clip.double(), self.t_clip.double()
        return self


@pytest.fixture(params=["digan_a", "digan_b", "stylegan_v_a", "stylegan_v_b"])
def case(request, device):
    set_tf32("fp32")  # PyTorch's own default lets convolutions be TF32
    return Case(request.param, device)


@pytest.fixture
def near(record_property):
    """Asserts that a relative error is below a bound, and records it."""

    def check(what, actual, expected, bound):
        error = relative_error(actual.detach(), expected)
        record_property(what, error)
        assert error < bound, f"{what}: {error:.1e} off"

    return check


@pytest.mark.parametrize("training", [False, True])
def test_frames(case, near, training):
    case.G.train(training)
    with torch.no_grad():
        near("frames", case.G.inr(case.latents)(case.t), case.tensors["frames"], 1e-5)


def test_logits_and_gradient_norms(case, near):
    logits = case.D(case.clip, case.t_clip, case.latents.label)
    norms = r1_norms(case.D, case.clip, case.t_clip, case.latents.label, lambda frames: frames)
    heads = {"motion": ("D.motion_logits", "D.r1_motion"), "image": ("D.image_logits", "D.r1_image")}
    heads = heads if case.digan else {"video": ("D.logits", "D.r1_per_frame")}
    for head, (own, norm) in heads.items():
        near("logits", logits[head], case.tensors[own], 1e-5)
        # cuDNN's algorithms for float32 (Winograd's, Fourier's) round more than a sum of products.
        bound = 1e-5 if case.clip.device.type == "cpu" else 1e-4
        near("gradient norms", norms[head].view_as(case.tensors[norm]), case.tensors[norm], bound)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gradients(case, record_property, dtype):
    """In float64; in float32 one pre-activation at the kink of a leaky ReLU moves them by more than roundings would
    (see test_digan_golden)."""
    G, D = (case.double() if dtype == "float64" else case).G.train(), case.D
    rules, prefix = (DIGAN, "grad.D_r1.") if case.digan else (STYLEGAN_V, "grad.D_r1.")
    LOSS.generator(D(G(case.latents, case.t_train), case.t_train, case.latents.label)).backward()
    of_generator = gradient_error(G, case.tensors, "grad.G.", rules.generator)
    D.zero_grad()
    LOSS.penalty(D, case.clip, case.t_clip, case.latents.label, lambda frames: frames).backward()
    of_penalty = gradient_error(D, case.tensors, prefix, rules.discriminator)
    record_property(f"gradients, {dtype}", max(of_generator, of_penalty))
    assert max(of_generator, of_penalty) < (1e-4 if dtype == "float64" else 2e-2)
