"""Each check fails for what it is there for, with words that say so: parts that are right but for one line."""

from __future__ import annotations

import re

import pytest
import torch

from inrvid.starter.make import KINDS
from inrvid.testing import Failed, conformance, train
from inrvid.testing.checks import case, near, require
from inrvid.testing.randomness import check_own_randomness, seeded
from inrvid.testing.suite import Result, is_slow, names_of, results, run_check
from inrvid.testing.training import small_recipe

from ..starting import installed, made

BROKEN = [
    (
        "motion",
        '"""Waves of several periods, whose',
        '"""Short."""\n    """Waves, whose',
        "is_described",
        "say what it is",
    ),
    ("motion", 'Field(8, description="number of waves")', "8", "is_described", "keys without a description: waves"),
    ("motion", 'source = "write', 'source = 3 or "write', "is_described", "source is 3"),
    (
        "motion",
        "turns = (t.double()[..., None] / periods)",
        "turns = (t.float()[..., None] / periods.float())",
        "accurate_a_million_frames_out",
        r"t = 9000\d: codes stand still .* keep times in float64|t = 1000000: codes stand still",
    ),
    (
        "motion",
        "return torch.cat([phase.sin(), phase.cos()], dim=-1)",
        "return torch.cat([phase.sin(), phase.cos()], -1) * (t.double()[..., None] / 9).square().neg().exp().float()",
        "accurate_a_million_frames_out",
        None,  # it ends in codes that stand still
    ),
    (
        "motion",
        "return self.linear(state)",
        "return self.linear(state - state.mean(dim=1, keepdim=True))",
        "frames_alone_equal_frames_together",
        "in inr_gan: the frame at t = 0 alone and among others",
    ),
    (
        "motion",
        "return self.linear(state)",
        "return self.linear(state - state.mean(dim=0, keepdim=True))",
        "noise_is_a_function_of_its_draws",
        "a video alone and in a batch",
    ),
    ("motion", "return self.linear(state)", "return 0 * self.linear(state)", "moves_unless_static", "differ by"),
    ("motion", "self.width = width", "self.width = width + 1", "codes_have_their_width", "says that its width is 9"),
    ("motion", ".remainder(1)", ".log()", "negative_times", "some values are not finite"),
    (
        "motion",
        "def head(",
        "span = property(lambda self: (0.0, 16.0, 1))\n\n    def head(",
        "noises_serve_the_times_that_its_span_says",
        "a sequence has a span, and nothing else has",
    ),
    ("motion", "EqLinear(waves, width)", "EqLinear(waves, width).double()", "a_recipe_trains_two_steps", "dtype"),
    (
        "coords",
        "number = (torch",
        "number = torch.rand(1) * (torch",
        "weights_are_its_whole_state",
        None,  # a buffer is part of the state: drawn by the seed, it is kept
    ),
    (
        "coords",
        'self.register_buffer("frequencies", radius[:, None] * direction)',
        "self.frequencies = torch.rand(1) * radius[:, None] * direction",
        "weights_are_its_whole_state",
        "with the same weights",
    ),
    (
        "generator",
        "features = features + code[:, :, None, None]",
        "features = features + code.mean(dim=1, keepdim=True)[:, :, None, None]",
        "moves_unless_static",
        "with global: frames 0, 3 and 7 differ by",
    ),
    ("generator", "movedim(-1, 2)", "movedim(-1, 2)[:, :, :2]", "shapes", "frames: the shape is"),
    (
        "generator",
        "self.rgb = EqLinear(width, 3)",
        "self.rgb, self.spare = EqLinear(width, 3), EqLinear(width, 3)",
        "every_parameter_gets_a_gradient",
        "no gradient reaches spare.weight, spare.bias",
    ),
    (
        "discriminator",
        'self.network(inputs["clip"], label)',
        'self.network(inputs["clip"] - inputs["clip"].mean(dim=0), label)',
        "two_batches_are_judged_as_if_each_were_alone",
        "clip, 2 clips, batch 1",
    ),
    (
        "discriminator",
        "frames.flatten(1, 2), planes",
        "frames[:, :1].expand_as(frames).flatten(1, 2), planes",
        "clips_get_a_gradient",
        "no gradient reaches some of the frames",
    ),
    (
        "discriminator",
        'self.network(inputs["clip"], label)',
        'self.network(inputs["clip"].detach(), label)',
        "gradient_penalty",
        "",
    ),
    (
        "discriminator",
        "frames.flatten(1, 2), planes",
        "frames.flatten(1, 2) + 0.1 * torch.randn_like(frames.flatten(1, 2)), planes",
        "randomness_is_its_own",
        "calling it changes the global random state of torch",
    ),
    (
        "augment",
        "draws.uniform(2)",
        "torch.rand(len(draws), 2)",
        "one_draw_a_clip",
        "a clip alone and in a batch",
    ),
    ("augment", "return scaled +", "return scaled.detach() +", "differentiable_twice", ""),
    (
        "augment",
        "frames * (1 +",
        "frames * torch.arange(frames.shape[1])[:, None, None, None] * (1 +",
        "one_draw_a_clip",
        "the first and the last of a clip's equal frames",
    ),
    (
        "time_sampler",
        "start[:, None] + steps, ",
        "steps - start[:, None], ",
        "real_frames",
        "not all of 0 … length − 1",
    ),
    ("time_sampler", "torch.arange(self.frames)", "-torch.arange(self.frames)", "generated_times", "not ascending"),
    (
        "time_sampler",
        "return self._steps(draws).float()",
        "return self._steps(draws).float() / self.config.clip_length",
        "generated_times",
        r"generated clips span 0\.\d+ frames, real ones \d",
    ),
    (
        "time_sampler",
        "return self._steps(draws).float()",
        "return self._steps(draws).float() - 1e6",
        "generated_times",
        "not all from 0 on",
    ),
    (
        "time_sampler",
        "return self._steps(draws).float()",
        "return self._steps(draws).float() * len(draws)",
        "generated_times",
        "alone and in a batch",
    ),
    ("time_sampler", "steps.float()", "2 * steps.float()", "real_frames", "intervals of times and of frame numbers"),
    ("loss", '"R1", "discriminator"', '"D", "discriminator"', "phases", "two phases of one name: G, D, D"),
    ("loss", 'Phase("G", "generator"', 'Phase("G", "judge"', "phases", "phase G: moves 'judge'"),
    ("loss", "return -mean(fake)", "return 0 * mean(fake)", "a_recipe_trains_two_steps", "the generator's .* are what"),
    ("loss", "return -mean(fake)", "return mean(fake) / 0", "a_recipe_trains_two_steps", "at 8 clips|not finite"),
    (
        "loss",
        "return -mean(fake)",
        "return -mean(fake) * torch.rand(())",
        "randomness_is_its_own",
        "training with it depends on the global random state",
    ),
    ("dataset", "np.asarray(frames", "np.asarray(sorted(frames)", "frames", r"frames \[7, 0, 7\] differ"),
    (
        "dataset",
        "(255 * ",
        "(np.random.rand() * ",
        "randomness_is_its_own",
        "reading it changes the global random state",
    ),
    ("dataset", "self.fps, self._size)", "self._size)", "fingerprint", "does not depend on `stride`"),
    (
        "dataset",
        "return self.config.frames\n",
        "return 2\n",
        "what_it_says_of_its_videos",
        "shorter than a clip: train-",
    ),
    (
        "detector",
        "cells.mean(1), ",
        "cells.mean(1) - cells.mean((0, 1)), ",
        "features",
        "of a clip alone and in a batch",
    ),
    ("detector", "slice(columns, 2", "slice(0, 2", "parts_share_the_columns", "have the same columns"),
    (
        "detector",
        'resize="none: cells are shares of the frame"',
        'resize=""',
        "digest_says_what_it_is",
        "has no resize",
    ),
    ("metric", 'better = "lower"', 'better = "higher"', "what_is_nearer_is_better", "the score is"),
    ("metric", "{name: _distance", "{name + '!' * len(str(fake)): _distance", "scores_are_numbers", None),
    ("metric", "/ spread)", "/ (spread - spread))", "scores_are_numbers", "no finite float: ''"),
    (
        "callback",
        "self.began = time.monotonic()",
        "self.began = time.monotonic() + next(run.training.G.parameters()).data.mul_(0).sum().item()",
        "changes_no_network",
        "ends in other weights",
    ),
]


@pytest.mark.parametrize(("kind", "old", "new", "check", "told"), BROKEN)
def test_a_part_with_a_wrong_line_fails(kind, old, new, check, told, tmp_path):
    folder = made(tmp_path / "inrvid-own", kind, {old: new})
    with installed(folder):
        result = run_check(conformance(KINDS[kind], "own"), f"test_{check}")
    assert result.outcome == ("failed" if told is not None else "passed")
    assert re.search(told or "", result.reason)
    assert "\n" not in result.reason


def test_a_failure_says_where_its_author_has_to_look(tmp_path):
    """An exception of the part's own: its kind, its message, and the line of the package."""
    folder = made(tmp_path / "inrvid-own", "metric", {"spread = real": "spread = reel"})
    with installed(folder):
        result = run_check(conformance("metrics", "own"), "test_scores_are_numbers")
    assert result.reason.startswith("NameError: name 'reel' is not defined")
    assert "inrvid_own/own.py:" in result.reason


@pytest.mark.parametrize(
    "says",
    [
        {"class Config(TimeSampler.Config):\n": "class Config(TimeSampler.Config):\n        frames: Literal[3] = 3\n"},
        {"config: Config\n": 'config: Config\n    test_settings = {"frames": 3}\n'},
    ],
)
def test_a_time_sampler_says_its_frames(tmp_path, says):
    literal = {
        "from __future__ import annotations\n": "from __future__ import annotations\n\nfrom typing import Literal\n"
    }
    with installed(made(tmp_path / "inrvid-own", "time_sampler", {**says, **literal})):
        checks = conformance("time_samplers", "own")
        assert checks().sampler().frames == 3
        for name in ("test_generated_times", "test_real_frames"):
            assert run_check(checks, name).outcome == "passed"


def test_settings_of_a_class_and_of_a_test(tmp_path):
    folder = made(
        tmp_path / "inrvid-own", "motion", {"config: Config\n": 'config: Config\n    test_settings = {"waves": 2}\n'}
    )
    with installed(folder):
        assert conformance("motions", "own")().config() == {"type": "own", "waves": 2}
        own = conformance("motions", "own", small={"waves": 3, "shortest": 4.0})
        assert own().config() == {"type": "own", "waves": 3, "shortest": 4.0}


def test_a_class_says_why_two_processes_are_not_one(tmp_path):
    folder = made(tmp_path / "inrvid-own", "motion", {"config: Config\n": 'config: Config\n    test_alone = "so"\n'})
    with installed(folder):
        result = run_check(conformance("motions", "own"), "test_two_processes_train_as_one")
        assert (result.outcome, result.reason) == ("skipped", "so")


def test_the_slow_ones_are_those_that_start_processes():
    slow = [
        name for name in names_of(conformance("motions", "global")) if is_slow(conformance("motions", "global"), name)
    ]
    assert slow == ["test_two_processes_train_as_one"]
    assert not [
        name for name in names_of(conformance("metrics", "fvd")) if is_slow(conformance("metrics", "fvd"), name)
    ]


def test_two_processes_whose_draws_are_their_own(tmp_path):
    """Of the process's first clips instead of the clips' own."""
    own = "Draws.of_batch(0, 'x', 0, range(len(draws))).uniform(2)"
    with installed(made(tmp_path / "inrvid-own", "augment", {"draws.uniform(2)": own})):
        checks = conformance("augments", "own", small={"brightness": 1.0, "contrast": 1.0})
        result = run_check(checks, "test_two_processes_train_as_one")
    assert result.reason.startswith("two processes end ")


def test_a_recipe_trains_in_a_new_folder(tmp_path):
    trainer = train(tmp_path / "run", small_recipe({"loss": {"type": "logistic", "r1_gamma": 0.0}}))
    assert (trainer.step, trainer.clips) == (2, 8)
    assert (tmp_path / "run" / "model" / "config.json").is_file()


def test_what_is_drawn_from_global_states_is_found():
    with pytest.raises(Failed, match="drawing changes the global random state of torch"):
        check_own_randomness(lambda: torch.rand(1), "drawing")
    with pytest.raises(Failed, match="looking depends on the global random state"):
        check_own_randomness(lambda: torch.tensor(float(torch.initial_seed())), "looking")
    before = torch.get_rng_state()
    with seeded(3):
        torch.rand(1)
    assert torch.equal(torch.get_rng_state(), before)


def test_ways_to_fail():
    with pytest.raises(Failed, match=r"^here: not so$"), case("here"):
        require(False, "not so")
    with pytest.raises(Failed, match=r"^x: the shape is \[2\], expected \[3\]$"):
        near(torch.zeros(2), torch.zeros(3), "x")
    with pytest.raises(Failed, match=r"^x: they differ by up to 0\.5 \(torch\.float32, torch\.float32\)$"):
        near(torch.zeros(2), torch.tensor([0.0, 0.5]), "x")
    near(torch.zeros(2), torch.full((2,), 1e-6), "x")


def test_defaults_that_only_a_recipe_fits_are_no_missing_keys():
    assert next(results("time_samplers", "consecutive", quick=True)) == Result("is described", "passed")


def test_a_key_without_a_default_is_told_once(tmp_path):
    field = 'Field(8, description="number of waves")'
    folder = made(tmp_path / "inrvid-own", "motion", {field: 'Field(description="number of waves")'})
    with installed(folder):
        (result,) = results("motions", "own", quick=True)
        assert result.reason.startswith("waves: keys need defaults, or the class says what does for tests")
        assert next(results("motions", "own", {"waves": 2}, quick=True)).outcome == "passed"
