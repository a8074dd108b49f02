"""Far out in time: the accuracy of motion codes, and the cost of a frame."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util

import pytest
import torch

from inrvid import InrvidError, build_generator
from inrvid.coords.acyclic import periods
from inrvid.kernels.dispatch import use_backend
from inrvid.kernels.normal import MASK, normal, philox
from inrvid.motion.codes import CodesMotion
from inrvid.motion.noise import ExplicitNoise, SeededNoise
from inrvid.random import SampleKey
from inrvid.registry import registry

from ..small import small_generator

CODES = [name for name in registry("motions").names() if issubclass(registry("motions").component(name), CodesMotion)]


def published_motion(name):
    """The motion and a head at the published widths, its 512 codes and 256 frequencies."""
    torch.manual_seed(0)
    motion = registry("motions").build({"type": name}, z_dim=512, label_dim=0, clip_length=16)
    return torch.nn.ModuleDict({"trunk": motion, "head": motion.head(512, 512)}).eval()


@pytest.mark.parametrize("name", CODES)
@torch.no_grad()
def test_codes_are_accurate_a_million_frames_out(name):
    single = published_motion(name)
    double = copy.deepcopy(single).double()
    noise = SeededNoise.of_keys([SampleKey(0, 0, 0)], "motion", 512)
    t = torch.tensor([[0.0, 3.3, 90_000.25, 1e6 - 0.5]], dtype=torch.float64)
    label, w = torch.zeros(1, 0), torch.zeros(1, 512)
    expected = double["head"](double["trunk"](noise.to(torch.float64), label.double(), t), w.double())
    actual = single["head"](single["trunk"](noise, label, t), w)
    assert actual.dtype == torch.float32
    assert (actual - expected).abs().max() < 1e-3


@pytest.mark.parametrize("name", CODES)
def test_training_and_evaluation_agree(name):
    """Their precision differs; near the clip that is not seen."""
    motion = published_motion(name)
    noise = SeededNoise.of_keys([SampleKey(0, 0, 0), SampleKey(0, 0, 1)], "motion", 512)
    t = torch.tensor([[0.0, 5.5, 16.0, 31.0]] * 2)
    label, w = torch.zeros(2, 0), torch.zeros(2, 512)
    exact = motion["head"](motion["trunk"](noise, label, t), w)
    motion.train()
    quick = motion["head"](motion["trunk"](noise, label, t), w)
    assert quick.dtype == exact.dtype == torch.float32
    torch.testing.assert_close(quick, exact, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", CODES)
@torch.no_grad()
def test_codes_are_continuous_and_never_repeat(name):
    G = build_generator(small_generator("inr_gan", name)).eval()
    inr = G.inr(G.sample_latents(1))
    distance = G.motion.config.distance
    before, at, after = inr(torch.tensor([distance - 1e-3, distance, distance + 1e-3]))[0]
    assert (before - at).abs().max() < 0.05
    assert (after - at).abs().max() < 0.05
    far = inr(torch.tensor([2.0, 2.0 + 1024, 2.0 + 2048]))[0]
    assert (far[0] - far[1]).abs().max() > 0.05
    assert (far[1] - far[2]).abs().max() > 0.05


@torch.no_grad()
def test_a_frame_an_hour_later_needs_no_other_noise():
    """The same number of noises, whatever t is: what makes its cost the same (benchmarks/far_frame.py times it)."""
    asked = []

    class Counting(SeededNoise):
        def at(self, index):
            asked.append(index.numel())
            return super().at(index)

    motion = published_motion("conv1d")["trunk"]
    noise = SeededNoise.of_keys([SampleKey(0, 0, 0)], "motion", 512)
    for t in (3.0, 90_000.0):
        motion(Counting(noise.keys, noise.width), torch.zeros(1, 0), torch.tensor([[t]]))
    assert asked == [22, 22]


def test_explicit_and_seeded_noise_are_the_same_sequence():
    seeded = SeededNoise.of_keys([SampleKey(5, 1, 2), SampleKey(5, 1, 3)], "motion", 6)
    values = seeded.at(torch.arange(30).expand(2, -1))
    explicit = ExplicitNoise(values)
    index = torch.tensor([[3, 29], [0, 7]])
    assert torch.equal(explicit.at(index), seeded.at(index))
    assert torch.equal(seeded.at(torch.tensor([[17], [17]]))[:, 0], values[:, 17])
    assert not torch.equal(values[0], values[1])
    assert abs(seeded.at(torch.arange(5000).expand(2, -1)).std() - 1) < 0.01
    assert torch.equal(seeded[[1]].at(index[1:]), values[1:, [0, 7]])


def test_philox_known_answers():
    """Random123's test vectors."""
    zeros, ones = torch.zeros(1, dtype=torch.int64), torch.full((1,), MASK)
    assert [f"{w:08x}" for w in philox([zeros] * 4, [zeros] * 2)[0].tolist()] == [
        "6627e8d5",
        "e169c58d",
        "bc57ac4c",
        "9b00dbd8",
    ]
    assert [f"{w:08x}" for w in philox([ones] * 4, [ones] * 2)[0].tolist()] == [
        "408f276d",
        "41c83b0e",
        "a20bc7c6",
        "6d5451fd",
    ]


def test_periods():
    log = periods(5, 16, 1024, "log")
    assert log[0] == 1024
    assert log[-1] == pytest.approx(16)
    torch.testing.assert_close(log[1:] / log[:-1], (log[1] / log[0]).expand(4))
    linear = periods(4, 16, 1024, "linear")
    torch.testing.assert_close(linear.diff(), torch.full((3,), (1024 - 16) / 4, dtype=torch.float64))
    assert linear[0] == 16


def test_one_index_a_video():
    noise = SeededNoise.of_keys([SampleKey(1, 0, 0), SampleKey(2, 0, 0)], "motion", 5)
    assert torch.equal(noise.at(torch.tensor([3, 7])), noise.at(torch.tensor([[3], [7]]))[:, 0])


@pytest.mark.parametrize("backbone", ["inr_gan", "stylegan2"])
@torch.no_grad()
def test_a_cast_leaves_frequencies_as_they_are(backbone):
    """`G.float()` of a float32 model changes nothing; rounded frequencies would be others, an hour on."""
    G = build_generator(small_generator(backbone, "conv1d"), seed=0).eval()
    latents, t = G.sample_latents(1, seed=0), torch.tensor([1e6 - 0.5], dtype=torch.float64)
    before = G.inr(latents)(t)
    tables = [value for name, value in G.named_buffers() if name.endswith(("frequencies", "phase_scale"))]
    assert torch.equal(G.float().inr(latents)(t), before)
    assert all(any(value is table for value in G.buffers()) for table in tables)  # graphs read them where they are
    torch.testing.assert_close(G.double().float().inr(latents)(t), before, rtol=0, atol=1e-6)


@pytest.mark.parametrize("backbone", ["inr_gan", "stylegan2"])
@torch.no_grad()
def test_whole_numbers_are_times_however_large(backbone):
    inr = (G := build_generator(small_generator(backbone, "conv1d"), seed=0).eval()).inr(G.sample_latents(1, seed=0))
    whole, number = 2**24 + 1, torch.tensor([2**24 + 1], dtype=torch.float64)  # float32 has no such number
    assert torch.equal(inr(torch.tensor([whole])), inr(number))
    assert torch.equal(inr(float(whole)), inr(number))
    assert torch.equal(next(inr.stream(torch.tensor(float(whole), dtype=torch.float64))), inr(number))


@pytest.mark.parametrize("motion", registry("motions").names())
@pytest.mark.parametrize("backbone", ["inr_gan", "stylegan2"])
@torch.no_grad()
def test_a_generator_in_double_precision_draws_latents_of_it(backbone, motion):
    G = build_generator(small_generator(backbone, motion), seed=0).eval()
    t = torch.tensor([0.0, 3.5])
    expected = G.inr(G.sample_latents(2, seed=0))(t)
    inr = G.double().inr(G.sample_latents(2, seed=0))
    torch.testing.assert_close(inr(t).float(), expected, rtol=0, atol=1e-3)


@torch.no_grad()
def test_between_noises_that_were_given_and_drawn():
    G = build_generator(small_generator("inr_gan", "conv1d"), seed=0).eval()
    latents = G.sample_latents(1, seed=0)
    given = dataclasses.replace(latents, motion=torch.randn(1, 40, G.z_dim))
    t = torch.arange(3.0)
    for one, other in ((latents, given), (given, latents)):
        frames = G.inr(one).lerp(G.inr(other), 0.0)(t)
        torch.testing.assert_close(frames, G.inr(one)(t))


@pytest.mark.parametrize("motion", ["global", "conv1d"])
@torch.no_grad()
def test_one_motion_is_for_all_videos(motion):
    """Also half of the way to others, and of one of the videos between."""
    G = build_generator(small_generator("inr_gan", motion), seed=0).eval()
    latents, t = G.sample_latents(3, seed=0), torch.arange(3.0)
    one, three = G.inr(latents[0]), G.inr(latents)
    between = one.lerp(three, 0.5)
    assert len(between.noise) == 3
    for number in range(3):
        torch.testing.assert_close(between[number](t), one.lerp(three[number], 0.5)(t))


def test_one_key_is_for_all_indices():
    keys = SeededNoise.of_keys([SampleKey(1, 0, 0)], "motion", 5).keys
    index = torch.tensor([[3, 7], [4, 4], [0, 1]])
    expected = normal(keys.expand(3, -1), index, 5)
    for path in ("definition", *["triton"] * (importlib.util.find_spec("triton") is not None)):
        with use_backend(path):
            torch.testing.assert_close(normal(keys, index, 5), expected)
    assert normal(keys[:0], index[:0], 5).shape == (0, 2, 5)


@torch.no_grad()
def test_times_are_not_rounded_to_half_precision():
    G = build_generator(small_generator("inr_gan", "global"), seed=0).eval().bfloat16()
    t = torch.tensor([100 + i / 8 for i in range(8)])
    state = G.motion(G.sample_latents(1).motion, torch.zeros(1, 0), t[None])
    assert len(state.tau.unique()) == 8
    assert torch.isfinite(G.inr(G.sample_latents(1))(t)).all()


def test_given_noise_may_be_in_float64():
    G = build_generator(small_generator("inr_gan", "conv1d"), seed=0)
    latents = dataclasses.replace(G.sample_latents(1), motion=torch.randn(1, 40, G.z_dim, dtype=torch.float64))
    assert G.train()(latents, torch.arange(2.0)).dtype == torch.float32


def test_constants_are_there_after_a_build_without_memory():
    """`meta`, then either way of filling it."""
    G = build_generator(small_generator("stylegan2", "conv1d"), seed=0).eval()
    latents, t = G.sample_latents(1, seed=0), torch.arange(3.0)
    for assign in (False, True):
        with torch.device("meta"):
            empty = build_generator(G.config).eval()
        empty = empty if assign else empty.to_empty(device="cpu")
        empty.load_state_dict(G.state_dict(), assign=assign)
        assert torch.equal(empty.inr(latents)(t), G.inr(latents)(t))


@pytest.mark.parametrize(("own", "other"), [("global", "conv1d"), ("conv1d", "global")])
def test_latents_of_another_motion_are_refused(own, other):
    G, latents = (build_generator(small_generator("inr_gan", motion)).eval() for motion in (own, other))
    with pytest.raises(InrvidError, match="latents of another model"):
        G(latents.sample_latents(1), torch.arange(2.0))
