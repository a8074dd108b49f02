"""R1 under augmentation is what the authors' releases compute: 1e-5, gradients 1e-4 (relative L2 over all)."""

from __future__ import annotations

import pytest
import torch

from inrvid.losses.logistic import LogisticLoss
from inrvid.losses.penalty import r1_norms
from inrvid.models.official import DIGAN, STYLEGAN_V, from_official
from inrvid.registry import registry

from ..golden_files import GOLDEN, assert_close, golden, gradient_error, kept

LOSS = LogisticLoss(LogisticLoss.Config(r1_gamma=1.0))
CLIP = 16


@pytest.mark.parametrize("q", [0.65, 0.15])
def test_stylegan_v_through_ada(q):
    """At the real frames before augmentation: the warp's and the colours' Jacobians are part of the penalty."""
    _, D, _ = from_official(GOLDEN / "stylegan_v_a.safetensors")
    inputs, expected = golden("stylegan_v_a"), golden("stylegan_v_r1_ada_a")
    clip, t, label = (inputs[f"input.{key}"] for key in ("clip", "t_clip", "label"))
    augment = registry("augments").build({"type": "ada"}).at_quantile(q, len(clip))
    assert_close(kept(augment(clip), expected[f"q{q}.augmented"]), expected[f"q{q}.augmented"])
    assert_close(D(augment(clip), t, label)["video"], expected[f"q{q}.logits"])
    norms = r1_norms(D, clip, t, label, augment)["video"]
    assert_close(norms.view_as(expected[f"q{q}.r1_per_frame"]), expected[f"q{q}.r1_per_frame"])
    penalty = LOSS.penalty(D, clip, t, label, augment)
    penalty.backward()
    assert_close(penalty.view(1), expected[f"q{q}.penalty"])
    assert gradient_error(D, expected, f"q{q}.grad.D.", STYLEGAN_V.discriminator) < 1e-4


def recorded(draws, side):
    """DiffAugment at the release's draws. Its shifts move content up and left, ours down and right."""
    rows, columns = (-draws[f"draw.shift_{axis}"] for axis in ("rows", "columns"))
    largest = int(side * 0.125 + 0.5)
    place = [(shift + largest + 0.5) / (2 * largest + 1) for shift in (rows, columns)]
    uniform = torch.stack([*(draws[f"draw.{key}"] for key in ("brightness", "saturation", "contrast")), *place], dim=1)

    class Recorded:
        def uniform(self, count):
            return uniform

        def __len__(self):
            return len(uniform)

    return registry("augments").build({"type": "diffaugment"}).sample(Recorded(), torch.device("cpu"))


def test_digan_through_diffaugment():
    """The motion head at its input before augmentation, the image head at augmented frames."""
    _, D, _ = from_official(GOLDEN / "digan_a.safetensors")
    inputs, expected = golden("digan_a"), golden("digan_r1_diffaug_a")
    pair, label = inputs["input.pair"], inputs["input.label"]
    dt = inputs["input.dt_unit"] * (CLIP - 1)
    t = torch.stack([torch.zeros_like(dt), dt], dim=1)
    augment = recorded(expected, pair.shape[-1])
    assert_close(kept(augment(pair), expected["augmented"]), expected["augmented"])
    logits = D(augment(pair), t, label)
    assert_close(logits["motion"], expected["motion_logits"])
    assert_close(logits["image"], expected["image_logits"])
    norms = r1_norms(D, pair, t, label, augment)
    assert_close(norms["motion"], expected["r1_motion"])
    assert_close(norms["image"].view(-1, 2), expected["r1_image"])
    assert_close(norms["motion"].mean().view(1) / 2, expected["penalty_motion"])
    assert_close(norms["image"].mean().view(1) / 2, expected["penalty_image"])
    penalty = LOSS.penalty(D, pair, t, label, augment)
    penalty.backward()
    assert_close(penalty.view(1), expected["penalty"])
    assert gradient_error(D, expected, "grad.D.", DIGAN.discriminator) < 1e-4
