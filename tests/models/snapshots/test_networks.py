"""Networks are found under the names that the releases give them, with weights under theirs."""

from __future__ import annotations

import time

import pytest
import torch

from inrvid.models.snapshots.networks import snapshot, steps_of
from inrvid.models.snapshots.reader import read_snapshot
from inrvid.models.snapshots.records import Record
from inrvid.weights import WeightsError

from ..making import Network, pickled

WEIGHTS = {"mapping.fc0.weight": torch.ones(2, 2), "synthesis.b4.const": torch.ones(3)}


def found(**value):
    return snapshot(read_snapshot(pickled(value)))


def test_networks_facts_and_what_is_left():
    G = Network("Generator", WEIGHTS, {"z_dim": 3}, {"synthesis.b4.up": 2})
    read = found(G_ema=G, D=WEIGHTS, kimg=25, data={"path": "a", "n": 3}, odd=[1, 2], augment_pipe=None)
    assert {*read.networks} == {"G_ema", "D"}
    stored = read.networks["G_ema"]
    assert {*stored.weights} == {*WEIGHTS}
    assert stored.settings == {"z_dim": 3}
    assert stored.attributes["synthesis.b4.up"] == 2
    assert read.networks["D"].settings == {}
    assert read.facts == {"kimg": 25, "data": {"path": "a", "n": 3}}
    assert read.left_out == ("odd",)


def test_buffers_that_are_not_saved_are_left_out():
    state = {
        "_parameters": {"a": torch.ones(1)},
        "_buffers": {"b": torch.ones(1), "c": torch.ones(1), "d": None},
        "_non_persistent_buffers_set": {"c"},
        "_modules": {},
    }
    read = snapshot({"G": Record("Generator", state=state)})
    assert {*read.networks["G"].weights} == {"a", "b"}


@pytest.mark.parametrize(
    "state",
    [
        {"_modules": {"a": 1}},
        {"_modules": {"a": Record("x", state=None)}},
        {"_modules": {}, "_parameters": {"a": 3}},
        {"_modules": {}, "_parameters": 3},
    ],
)
def test_damaged_networks_are_refused(state):
    with pytest.raises(WeightsError, match="damaged"):
        snapshot({"G": Record("Generator", state=state)})


def test_modules_in_modules_do_not_take_for_ever():
    inner = Record("Leaf", state={"_modules": {}, "x": 1})
    for _ in range(60):
        inner = Record("Pair", state={"_modules": {"a": inner, "b": inner}})
    start = time.monotonic()
    with pytest.raises(WeightsError, match="too many, or contain themselves"):
        snapshot({"G": inner})
    assert time.monotonic() - start < 10


def test_thousands_of_pictures_by_a_file_s_name():
    assert steps_of("network-snapshot-025000.pkl") == 25000
    assert steps_of("digan.pkl") is None
