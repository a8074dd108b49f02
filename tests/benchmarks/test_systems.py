from __future__ import annotations

import pytest
import torch

from benchmarks.harness import Measured
from benchmarks.loading import data_cases, evaluation_cases
from benchmarks.plan import LARGE, PUBLISHED, Options, planned
from benchmarks.systems import (
    RELEASE_FRAME_GFLOP,
    Training,
    _generation_values,
    generation_cases,
    recipe_in,
    training_cases,
)
from inrvid import InrvidError
from inrvid.recipe.file import own_recipes
from inrvid.registry import registry

CPU = torch.device("cpu")
QUICK = Options(quick=True, cpu=True, rounds=1)


def test_plan():
    plan = planned(Options(cpu=True))
    assert plan.recipes == PUBLISHED
    assert plan.precisions == ("fp32", "bf16")
    assert plan.training_precisions == ("fp32",)
    full = planned(Options(cpu=True, full=True))
    assert full.recipes == PUBLISHED + LARGE
    assert full.training_precisions == ("fp32", "bf16")
    assert full.budget.least == 3
    assert planned(Options(cpu=True, precisions=["bf16"])).training_precisions == ("bf16",)
    assert planned(Options(cpu=True, groups=["data", "kernels"])).groups == ("kernels", "data")
    assert set(PUBLISHED + LARGE) <= set(own_recipes())
    assert set(RELEASE_FRAME_GFLOP) <= set(PUBLISHED)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(groups=["kernel"]), "no benchmarks named 'kernel'.*Did you mean 'kernels'"),
        (Options(precisions=["fp8"]), "--precision fp8: expected one of"),
        (Options(precisions=["tf32"], cpu=True), "--precision tf32: this device"),
        (Options(recipes=["nothing"]), "nothing"),
        (Options(quick=True, full=True), "give one of them"),
    ],
)
def test_plan_refuses(options, expected):
    with pytest.raises(InrvidError, match=expected):
        planned(options)


def test_precision_is_the_recipe_s_own_policy():
    assert recipe_in("stylegan_v_ffs", "fp32").generator.half_blocks == 0
    half = recipe_in("stylegan_v_ffs", "bf16")
    assert half.discriminator.half_dtype == "bfloat16"
    assert half.generator.half_blocks >= 7
    assert not torch.backends.cuda.matmul.allow_tf32


def test_generation():
    (case,) = generation_cases(planned(QUICK))
    assert case.error == ""
    assert case.id == "generation/quickstart/1 × 16 frames 32²/fp32"
    assert case.seconds
    assert case.rates["frames/s"] == pytest.approx(16 / case.seconds.median)
    assert sum(case.parts.values()) == pytest.approx(case.seconds.median)
    assert case.ratios == {}  # no release made this model


def test_release_work():
    """DIGAN, 4 videos of 16 frames in 2 s: 4 · 317.3 GFLOP / 2 s, of a convolution's 1000 GFLOP / 2 s."""
    from benchmarks.ceilings import Ceiling

    found = Measured({"phi": [0.5], "frames": [1.5], "convolution": [2.0]}, {})
    ceiling = Ceiling("", lambda: None, 1000.0, "GFLOP/s")
    values = _generation_values("digan_ucf", 64, found, {"convolution": ceiling})
    assert values["rates"]["frames/s"] == pytest.approx(32)
    assert values["rates"]["release GFLOP/s"] == pytest.approx(2 * 317.3)
    assert values["ratios"]["release_of_convolution"] == pytest.approx(2 * 317.3 / 500)


def test_training():
    cases = list(training_cases(planned(QUICK)))
    assert [case.what.split(",")[0] for case in cases] == [
        "G forward + backward", "D main step", "R1 step", "full step",
    ]  # fmt: skip
    assert [case.error for case in cases] == [""] * 4
    generator, _, penalty, step = cases
    assert 0 < generator.memory["saved"] <= generator.memory["saved_by_definitions"]
    assert generator.memory["saved_by_definitions"] <= generator.memory["every_intermediate"]
    assert step.rates["clips/s"] == pytest.approx(4 / (step.seconds.median + penalty.seconds.median / 16))


def test_a_part_that_fails_leaves_the_others(monkeypatch):
    def fail():
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Training, "penalty_run", lambda training: fail)
    cases = list(training_cases(planned(QUICK)))
    assert [case.error for case in cases] == ["", "", "out of memory", ""]
    assert "R1" not in cases[-1].note


def test_full_step_leaves_penalties_out_and_trains():
    training = Training("quickstart", "fp32", CPU, 4)
    calls: list[int] = []
    step, run = training.step, training.step_run()
    before = training.generator.state_dict()["blocks.4.layers.0.weight"].clone()
    run()
    assert not torch.equal(before, training.generator.state_dict()["blocks.4.layers.0.weight"])
    training.step = lambda number, batches, clips_seen: calls.append(number)  # type: ignore[assignment]
    training._steps = 0
    run = training.step_run()
    for _ in range(17):
        run()
    assert calls == [*range(1, 16), 17, 18]
    assert max(phase.interval for phase in step.phases) == 16


def test_evaluation_covers_every_metric_and_detectors_without_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path))
    cases = list(evaluation_cases(planned(QUICK)))
    assert {*registry("metrics").names(), "statistics", "random"} <= {case.subject for case in cases}
    assert not [case.error for case in cases if case.error]


def test_data():
    cases = list(data_cases(planned(QUICK)))
    assert [case.what.split(",")[0] for case in cases] == ["H.264 files", "zip of JPEGs", "in memory"]
    assert all(case.rates["clips/s"] > 0 and not case.error for case in cases)
