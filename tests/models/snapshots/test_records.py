"""Settings of OmegaConf's containers become plain data, and no tree of them takes for ever."""

from __future__ import annotations

import pytest

from inrvid.models.snapshots.reader import read_snapshot
from inrvid.models.snapshots.records import Plain, Record, shown
from inrvid.weights import WeightsError

from ..making import Called, Made, node, pickled


def plain(value):
    return Plain()(read_snapshot(pickled({"value": value}))["value"])


def test_nodes_are_plain_data():
    value = {"a": 1, "b": {"c": [1, {"d": "x"}], "e": None}, "f": {}}
    assert plain(node(value)) == value


def test_values_that_refer_to_others():
    value = {
        "sampling": {"fps": 30, "most": "${.fps}"},
        "model": {
            "sampling": "${sampling}",
            "rate": "${sampling.fps}",
            "up": "${..sampling.fps}",
            "none": "${nothing}",
        },
        "code": "${eval:1+1}",
    }
    sampling = {"fps": 30, "most": 30}
    model = {"sampling": sampling, "rate": 30, "up": 30, "none": "${nothing}"}
    assert plain(node(value)) == {"sampling": sampling, "model": model, "code": "${eval:1+1}"}


def test_what_contains_itself_is_refused():
    with pytest.raises(WeightsError, match="contain themselves"):
        plain(node({"a": "${b}", "b": "${a}"}))
    record = Record("omegaconf.dictconfig.DictConfig", state={"_content": {}})
    record.state["_content"]["self"] = record
    with pytest.raises(WeightsError, match="contain themselves"):
        Plain()(record)


def test_what_is_shared_stays_shared():
    """Sixty doublings would be 10¹⁸ values."""
    value = {"x": 1}
    for _ in range(50):
        value = {"a": value, "b": value}
    found = Plain()(value)
    assert found["a"] is found["b"]


def test_mappings_of_classes_of_their_own():
    start = b"\x80\x03cdnnlib.util\nEasyDict\n)\x81"
    assert Plain()(read_snapshot(start + b".")) == {}
    assert Plain()(read_snapshot(start + b"X\x01\x00\x00\x00aK\x01s.")) == {"a": 1}


def test_objects_that_are_no_settings_stay():
    found = plain(
        {"a": Made("torch.nn.modules.container.Sequential", {}), "b": Called("pathlib.PosixPath", ("a", "b"))}
    )
    assert isinstance(found["a"], Record)
    assert found["b"] == "a/b"


def test_what_a_message_names_is_looked_at_a_few_levels_deep():
    value = []
    for _ in range(60):
        value = [value, value]  # 2^60 lists
    assert shown(value).startswith("[[[")
    assert "digits" in shown([10**5000])
    assert len(shown("x" * 1000)) <= 100
