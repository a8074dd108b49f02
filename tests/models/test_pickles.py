"""Pickles are read as data: what Python writes comes back, and what could run anything is refused by its name."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

from inrvid.models import pickles
from inrvid.models.pickles import read_pickle, read_state_dict
from inrvid.weights import WeightsError

SHARED = np.arange(3, dtype=np.int16)
VALUES = {
    "numbers": [0, 1, -1, 255, 65536, -(2**40), 2**100, 1.5, float("inf"), True, False, None, 1 + 2j],
    "text": ["", "a", "ü" * 300, b"", b"\x00\xff" * 200],
    "containers": {"a": [1, (2,), (3, 4), (5, 6, 7), (8, 9, 10, 11), ()], 3: {"b": {}}, (1, "x"): [[]]},
    "sets": [{1, 2}, frozenset({"a"}), set()],
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
}
ARRAYS = {
    "f4": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big-endian": np.arange(5, dtype=">i4"),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j], dtype=np.complex64),
    "empty": np.zeros((0, 4), np.float16),
    "no dimension": np.array(3.0),
    "long": np.arange(100_000),
    "scalar": np.float64(2.5),
    "shared": [SHARED, SHARED],
}
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", VALUES)
def test_values_come_back(name, protocol):
    assert read_pickle(pickle.dumps(VALUES[name], protocol)) == VALUES[name]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back(name, protocol):
    found, expected = read_pickle(pickle.dumps({"x": ARRAYS[name]}, protocol))["x"], ARRAYS[name]
    np.testing.assert_array_equal(found, expected, strict=name != "shared")
    if isinstance(expected, np.ndarray):
        assert found.flags.writeable
    if name == "shared":
        assert found[0] is found[1]


class Calls:
    def __init__(self, function, *arguments):
        self.how = function, arguments

    def __reduce__(self):
        return self.how


class Plain:
    pass


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Calls(os.system, "touch made"), "posix.system"),
        (Calls(eval, "1"), "eval"),
        (Calls(getattr, {}, "keys"), "getattr"),
        (Calls(np.load, "x"), "numpy.load"),
        (Plain(), "Plain|_reconstructor"),
        (print, "print"),
        (collections.Counter("ab"), "collections.Counter"),
    ],
)
def test_other_names_are_refused(value, name, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        WeightsError, match=f"it holds '.*({name}).*': only numbers, text, containers and arrays"
    ) as error:
        read_pickle(pickle.dumps({"a": [value]}, protocol))
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_objects_are_refused(protocol):
    for array in (np.array([{}]), np.array(["text"]), np.zeros(2, [("a", "f4")]), np.array(["2020-01-01"], "M8[D]")):
        with pytest.raises(WeightsError, match=r"which are no numbers|calls what is no"):
            read_pickle(pickle.dumps(array, protocol))


def array_program(shape: bytes, numbers: bytes) -> bytes:
    """A pickle of an array of f4, by hand."""
    return (
        b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01"
        + shape
        + b"cnumpy\ndtype\nX\x02\x00\x00\x00f4\x89\x88\x87R(K\x03X\x01\x00\x00\x00<NNNK\xffK\xffK\x00tb\x89C"
        + bytes([len(numbers)])
        + numbers
        + b"tb."
    )


def test_an_array_by_hand():
    found = read_pickle(array_program(b"K\x02\x85", struct.pack("<2f", 1, 2)))
    np.testing.assert_array_equal(found, np.array([1, 2], np.float32), strict=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        b"\x80\x04",
        b".",
        pickle.dumps([1, 2, 3])[:-3],
        array_program(b"K\x03\x85", struct.pack("<2f", 1, 2)),  # fewer numbers than its shape says
        array_program(b"\x8a\x06\x00\x00\x00\x00\x00\x01\x85", struct.pack("<2f", 1, 2)),  # 2⁴⁰ numbers
        array_program(b"J\xff\xff\xff\xff\x85", struct.pack("<2f", 1, 2)),  # −1 of them
        b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R.",  # no numbers
        b"\x80\x03]cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87Ra.",
        b"cnumpy\nndarray\n.",
        b"h\x05.",
        b"(.",
        b"(K\x01(K\x02d.",
        b"}]K\x01s.",  # a list as a key
        b")" + b"\x85" * 100_000 + b"}\x940K\x00\x30h\x00.",
        b"}" + b")" + b"\x85" * 1_000_000 + b"K\x01s.",  # hashing it would overflow the C stack
        b"X\xff\xff\xff\xffabc.",
        pickle.dumps(2**1000, 2),
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
    ],
)
def test_damaged_pickles_are_refused(content):
    with pytest.raises(WeightsError) as error:
        read_pickle(content)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_a_claimed_place_takes_no_memory():
    """The C reader makes room for 2³² values here, 64 GB."""
    assert read_pickle(b"K\x01r\xff\xff\xff\xff.") == 1


def test_what_is_made_again_and_again_is_refused():
    """A thousand arrays of the same 200,000 bytes, at twenty bytes each, and sets of one long list."""
    start, numbers = array_program(b"K\x01\x85", bytes(4))[:-9], b"B" + struct.pack("<I", 200_000) + bytes(200_000)
    array = start.replace(b"\x80\x03", b"").replace(b"K\x01\x85", b"J\x50\xc3\x00\x00\x85", 1)
    program = b"\x80\x03" + numbers + b"q\x640](" + (array + b"h\x64tb") * 1000 + b"e."
    with pytest.raises(WeightsError, match="what it makes is larger than itself"):
        read_pickle(program)
    assert len(read_pickle(program.replace((array + b"h\x64tb") * 999, b""))) == 1
    many = b"\x80\x03](" + b"K\x01" * 100_000 + b"eq\x010](" + b"cbuiltins\nset\nh\x01\x85R" * 1000 + b"e."
    with pytest.raises(WeightsError, match="what it makes is larger than itself"):
        read_pickle(many)


def test_other_instructions_are_refused():
    with pytest.raises(WeightsError, match="its instruction BINPERSID"):
        read_pickle(b"K\x01Q.")
    with pytest.raises(WeightsError, match="sets the state of a value of type dict"):
        read_pickle(b"}}b.")
    with pytest.raises(WeightsError, match=r"the codec 'rot13'"):
        read_pickle(pickle.dumps(Calls(__import__("_codecs").encode, "abc", "rot13"), 2))


def test_large_pickles_are_refused(monkeypatch):
    monkeypatch.setattr(pickles, "LIMIT", 1000)
    with pytest.raises(WeightsError, match="too large: a pickle of"):
        read_pickle(pickle.dumps(b"x" * 1000))


def saved(value, **options) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts(zipped):
    state = {"a.weight": torch.randn(3, 4), "n": torch.tensor(3)}
    for value in (state, {"state_dict": state, "epoch": 3}):
        found = read_state_dict(saved(value, _use_new_zipfile_serialization=zipped))
        assert list(found) == list(state)
        assert all(torch.equal(found[name], state[name]) for name in state)


def test_where_checkpoints_have_state_dicts():
    """The first of the keys that there is."""
    content = saved({"module": {"a": torch.ones(2)}, "model": {"b": torch.ones(3)}, "epoch": 3})
    assert list(read_state_dict(content, under=("state_dict", "model", "module"))) == ["b"]
    with pytest.raises(WeightsError, match="'module' is of type dict"):
        read_state_dict(content)
    with pytest.raises(WeightsError, match="too large"):
        read_state_dict(content, limit=10)


def test_what_is_no_state_dict_is_refused(monkeypatch):
    script = io.BytesIO()
    with zipfile.ZipFile(script, "w") as archive:  # as torch.jit.save lays it out
        archive.writestr("archive/constants.pkl", pickle.dumps(()))
        archive.writestr("archive/data.pkl", pickle.dumps({}))
        archive.writestr("archive/version", "3")
    for content in (
        b"", b"text", saved([1]), saved({}), saved({"a": 1}), saved({1: torch.ones(1)}), saved(Plain()),
        pickle.dumps(Calls(os.system, "false")), saved(torch.nn.Linear(2, 2)), script.getvalue(),
    ):  # fmt: skip
        with pytest.raises(WeightsError, match="not a state dict") as error:
            read_state_dict(content)
        assert "\n" not in str(error.value)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", b"\0" * 100_000)
    monkeypatch.setattr(pickles, "LIMIT", 10_000)
    with pytest.raises(WeightsError, match="too large: tensors of 100000 bytes"):
        read_state_dict(packed.getvalue())
