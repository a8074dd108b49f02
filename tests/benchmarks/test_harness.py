from __future__ import annotations

import pytest
import torch

from benchmarks.harness import (
    MOST_CALLS,
    SAMPLE_SECONDS,
    Budget,
    WallStopwatch,
    measure,
    one_line,
    warmed_up,
)
from benchmarks.precision import arithmetic, supported

CPU = torch.device("cpu")


class FakeClock:
    """Time passes when `run` says so."""

    def __init__(self):
        self.time = 100.0
        self.order: list[str] = []

    def __call__(self) -> float:
        return self.time

    def run(self, name, *seconds):
        """A case that takes each of `seconds` in turn, then the last for ever."""
        left = list(seconds)

        def run():
            self.order.append(name)
            self.time += left.pop(0) if len(left) > 1 else left[0]

        return run


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def stopwatch(clock):
    return WallStopwatch(CPU, now=clock)


def test_stopwatch_divides_by_calls(clock, stopwatch):
    assert stopwatch(clock.run("a", 0.25), calls=4) == pytest.approx(0.25)
    assert clock.order == ["a"] * 4


def test_every_case_has_its_turn_in_every_round(clock, stopwatch):
    runs = {"a": clock.run("a", 2.0), "b": clock.run("b", 3.0)}
    found = measure(runs, stopwatch, Budget(seconds=0, rounds=3), now=clock)
    assert clock.order == ["a", "b"] + ["a", "b"] * 3  # a long case is warmed up once
    assert found.samples == {"a": [2.0] * 3, "b": [3.0] * 3}
    assert found.errors == {}


def test_warm_up_is_no_sample(clock, stopwatch):
    found = measure({"a": clock.run("a", 9.0, 2.0)}, stopwatch, Budget(seconds=0, rounds=2), now=clock)
    assert found.samples["a"] == [2.0, 2.0]


def test_the_first_call_of_a_slow_case_is_its_first_round(clock, stopwatch):
    runs = {"a": clock.run("a", 70.0, 60.0), "b": clock.run("b", 2.0)}
    found = measure(runs, stopwatch, Budget(seconds=0, rounds=2), now=clock)
    assert found.samples == {"a": [70.0, 60.0], "b": [2.0, 2.0]}


def test_rounds_go_on_until_the_time_is_spent(clock, stopwatch):
    run = {"a": clock.run("a", 2.0)}
    assert len(measure(run, stopwatch, Budget(seconds=7), now=clock).samples["a"]) == 4
    assert len(measure(run, stopwatch, Budget(seconds=0), now=clock).samples["a"]) == 1
    assert len(measure(run, stopwatch, Budget(seconds=1, least=3), now=clock).samples["a"]) == 3


def test_quick_cases_are_called_several_times_a_sample(clock, stopwatch):
    assert warmed_up(clock.run("a", 0.5, SAMPLE_SECONDS / 10), stopwatch) == (0.5, 10)
    assert warmed_up(clock.run("a", SAMPLE_SECONDS * 2), stopwatch)[1] == 1
    assert warmed_up(clock.run("a", 0.0), stopwatch)[1] == MOST_CALLS
    assert warmed_up(clock.run("a", 0.0), stopwatch, calls=8)[1] == 8


def test_a_case_that_fails_is_told_and_the_others_go_on(clock, stopwatch):
    def fail():
        raise RuntimeError("no such kernel\nand a long story")

    found = measure({"a": fail, "b": clock.run("b", 2.0)}, stopwatch, Budget(seconds=0, rounds=1), now=clock)
    assert found.errors == {"a": "RuntimeError: no such kernel"}
    assert found.samples == {"b": [2.0]}


def test_errors_in_a_line():
    assert one_line(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate ...")) == "out of memory"
    assert one_line(ValueError()) == "ValueError: "


def test_arithmetic_is_restored():
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    with arithmetic("tf32"):
        assert torch.backends.cuda.matmul.allow_tf32
        assert torch.backends.cudnn.allow_tf32
        with arithmetic("fp32"):
            assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.allow_tf32
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before
    assert "tf32" not in supported(CPU)
