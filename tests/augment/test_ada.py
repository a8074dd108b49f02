"""ADA against the authors' release at fixed quantiles, and its controller."""

from __future__ import annotations

import math

import pytest
import torch

from inrvid import InrvidError
from inrvid.augment.ada import COLOR, GEOMETRY, band_gain
from inrvid.augment.filter_bank import amplify, filter_bank
from inrvid.random import Draws
from inrvid.registry import registry

from ..golden_files import assert_close, golden

TENSORS = golden("ada_a")
CASES = sorted(key for key in TENSORS if "q0." in key and "band" not in key)


def ada(*operations, **keys):
    return registry("augments").build({"type": "ada", "operations": operations, **keys})


@pytest.mark.parametrize("key", CASES)
def test_release(key):
    name, q = key.removeprefix("rect.").split(".q")
    operations = GEOMETRY + COLOR if name == "bgc" else (name,)
    frames = TENSORS["input.rect"][:, None] if key.startswith("rect") else TENSORS["input.clips"]
    out = ada(*operations).at_quantile(float(q), len(frames))(frames)
    expected = TENSORS[key]  # of some, the first frame of each clip is stored: all frames of a clip are changed alike
    assert_close(out[:, 0] if key.startswith("rect") else out[:, : expected.shape[1]], expected)


@pytest.mark.parametrize("band", range(4))
def test_release_bands(band):
    clips = TENSORS["input.clips"]
    amount = torch.erfinv(torch.full((len(clips),), 2 * 0.8 - 1)).exp2()
    out = amplify(clips.flatten(1, 2), band_gain(amount, band)).view_as(clips)
    expected = TENSORS[f"imgfilter_band{band}.q0.8"]
    assert_close(out[:, : expected.shape[1]], expected)


def test_bands_sum_to_the_identity():
    total = filter_bank().sum(dim=0)
    expected = torch.zeros_like(total)
    expected[len(total) // 2] = 1
    torch.testing.assert_close(total, expected, atol=1e-6, rtol=0)


def test_nothing_happens_at_p_0_and_everything_at_1():
    from inrvid.random import Draws

    clips = TENSORS["input.clips"]
    draws = lambda: Draws.of_batch(0, "x", 0, range(len(clips)))  # noqa: E731
    colour = ada(*COLOR)
    torch.testing.assert_close(colour.sample(draws(), clips.device)(clips), clips)
    changed = ada(*COLOR, initial=1.0).sample(draws(), clips.device)(clips)
    assert ((changed - clips).abs().amax(dim=(1, 2, 3, 4)) > 0.05).all()


def test_a_schedule_is_followed_whatever_the_discriminator_thinks_and_gone_on_with():
    keys = {"schedule": {"start": 0.0, "end": 0.3, "kclips": 0.032}, "interval": 2}
    augment, seen = ada(*COLOR, **keys), []
    for sign in (1, -1, 1, -1, 1, 1):
        seen.append(augment.p)
        observed(augment, sign, 1)
    assert seen == pytest.approx([0.15 * (1 - math.cos(math.pi * min(step / 4, 1))) for step in range(6)])
    resumed = ada(*COLOR, **keys)
    observed(augment := ada(*COLOR, **keys), 1, 2)
    resumed.load_state_dict(augment.state_dict())
    assert resumed.p == pytest.approx(0.15)
    observed(resumed, 1, 1)
    assert resumed.p == pytest.approx(seen[3])
    with pytest.raises(InrvidError, match="start and end are at most 1"):
        ada(schedule={"start": 0, "end": 2, "kclips": 1})
    with pytest.raises(InrvidError, match="leave initial out"):
        ada(initial=0.5, schedule={"start": 0, "end": 1, "kclips": 1})


def observed(augment, sign, steps):
    for _ in range(steps):
        augment.observe({"video": torch.full((8,), float(sign))}, clips=8, total=lambda x: x)


def test_p_rises_with_overconfidence_and_falls_without():
    augment = ada(speed_kclips=1.0, interval=4)
    observed(augment, 1, 4)
    assert augment.p == 0  # the statistic is on its way
    observed(augment, 1, 4)
    assert augment.p == pytest.approx(8 * 4 / 1000)
    observed(augment, 1, 1000)
    assert augment.p == 1.0
    observed(augment, -1, 8)
    assert augment.p == pytest.approx(1.0 - 8 * 4 / 1000)
    observed(augment, -1, 1000)
    assert augment.p == 0.0


def test_target_is_where_p_rests():
    augment = ada(speed_kclips=1.0, interval=1, target=0.5)
    logits = torch.ones(8)
    logits[:1] = -1  # mean sign 0.75: above
    for _ in range(3):
        augment.observe({"a": logits}, clips=8, total=lambda x: x)
    assert augment.p > 0
    up = augment.p
    logits[:3] = -1  # mean sign 0.25: below
    for _ in range(3):
        augment.observe({"a": logits}, clips=8, total=lambda x: x)
    assert augment.p < up + 0.009


def test_state_goes_on_exactly():
    one, two = ada(speed_kclips=1.0, interval=4), ada(speed_kclips=1.0, interval=4)
    observed(one, 1, 10)
    two.load_state_dict(one.state_dict())
    for sign in (1, 1, 1, -1, -1, -1, -1, -1, -1):
        observed(one, sign, 1)
        observed(two, sign, 1)
        assert one.p == two.p


@pytest.mark.parametrize(
    ("logits", "moves"),
    [
        ([1.0] * 16 + [-1.0] * 4, 0),  # the mean of their signs is the target, 0.6
        ([1.0] * 17 + [-1.0] * 3, 1),
        ([1.0] * 15 + [-1.0] * 5, -1),
    ],
)
def test_p_goes_by_the_sign_of_the_difference(logits, moves):
    augment = registry("augments").build({"type": "ada", "initial": 0.5, "interval": 1, "speed_kclips": 100})
    for _ in range(3):  # p moves by what was seen the interval before
        augment.observe({"video": torch.tensor(logits)}, clips=20, total=lambda x: x)
    assert augment.p == pytest.approx(0.5 + 2 * moves * 20 / 100_000)


def drawn(augment, count, frames):
    return augment.sample(Draws.of_batch(0, "x", 0, range(count)), torch.device("cpu"))(frames)


@pytest.mark.parametrize("operation", [*GEOMETRY, *COLOR, "imgfilter", "cutout"])
def test_an_operation_does_nothing_at_p_0(operation):
    clips = torch.rand(3, 2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn(ada(operation), 3, clips), clips, rtol=1e-4, atol=2e-3)


def test_what_has_been_learned_of_p_is_what_happens():
    augment = ada("lumaflip")
    augment.p = 1.0
    clips = torch.ones(400, 1, 3, 4, 4)
    assert (drawn(augment, 400, clips)[:, 0, 0, 0, 0] < 0).float().mean() == pytest.approx(0.5, abs=0.08)


def test_a_clip_is_turned_before_and_behind_its_stretch(monkeypatch):
    seen = []
    monkeypatch.setattr("inrvid.augment.ada.warp", lambda x, inverse: seen.append(inverse) or x)
    drawn(ada("rotate", "aniso", initial=1.0), 2000, torch.ones(2000, 1, 3, 4, 4))
    before, _, behind = torch.linalg.svd(seen[0][:, :2, :2])
    for basis in (before, behind.mT):
        angle = torch.atan2(basis[:, 1, 0], basis[:, 0, 0]) % (torch.pi / 2)
        assert torch.histc(angle, 4, 0, torch.pi / 2).min() > 400  # of 500 in each quarter
