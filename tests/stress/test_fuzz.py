"""A small share of `fuzz`, the same each time; and that it would see what it is for."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from . import fuzz

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks into /proc")

COUNT = 10


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # a forked process has no other threads
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", sys.argv)
        patch.setenv("INRVID_CACHE", "")  # set by the world, and put back after it
        yield fuzz.World.make(tmp_path_factory.mktemp("world"))
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_spoilt_input_costs_a_line(world, kind):
    outcomes = {seed: fuzz.tried(world, kind, seed) for seed in range(COUNT)}
    assert {seed: told for seed, (outcome, told) in outcomes.items() if outcome not in ("ok", "refused")} == {}


@pytest.mark.parametrize(
    ("use", "outcome"),
    [
        (lambda world, here: 0, "ok"),
        (lambda world, here: 1 / 0, "traceback"),
        (lambda world, here: 2, "traceback"),  # refused without a word
        (lambda world, here: np.empty(5 * 2**30, np.uint8) and 0, "traceback"),
        (lambda world, here: fuzz.os.kill(fuzz.os.getpid(), 9), "killed"),
        (lambda world, here: fuzz.time.sleep(9), "hang"),
    ],
)
def test_what_falls_short_is_seen(world, monkeypatch, use, outcome):
    monkeypatch.setattr(fuzz, "trial_of", lambda kind, chance: use)
    monkeypatch.setattr(fuzz, "SECONDS", 2)
    assert fuzz.tried(world, "set", 0)[0] == outcome
