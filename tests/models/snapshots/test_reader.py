"""Files are read as data: what is in them comes back, what they name is not had, and what is long is not copied."""

from __future__ import annotations

import collections
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

from inrvid.models.snapshots import reader
from inrvid.models.snapshots.reader import read_snapshot
from inrvid.models.snapshots.records import Record
from inrvid.weights import WeightsError

from ..making import Called, Made, Named, Network, pickled


def saved(value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


KINDS = {
    "pickle": pickled,
    "stream": lambda value: saved(value, _use_new_zipfile_serialization=False),
    "zip": saved,
}
TENSORS = {
    **{str(t).removeprefix("torch."): torch.arange(6).to(t).view(2, 3) for t in (
        torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.bool,
    )},
    "transposed": torch.arange(6.0).view(2, 3).T,
    "part": torch.arange(20.0)[3:15:2],
    "expanded": torch.ones(1).expand(4),
    "empty": torch.empty(0, 3),
    "number": torch.tensor(2.5),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_come_back(kind):
    found = read_snapshot(KINDS[kind](TENSORS))
    for name, expected in TENSORS.items():
        actual = found[name].tensor()
        assert torch.equal(actual, expected), name
        assert actual.dtype == expected.dtype
        assert actual.is_contiguous()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_long_is_a_view_of_the_file(kind):
    content = KINDS[kind]({"x": torch.arange(10_000.0)})
    numbers = read_snapshot(content)["x"]
    assert numbers.storage.data.obj is content
    value = numbers.tensor()
    value += 1
    assert torch.equal(numbers.tensor(), torch.arange(10_000.0))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_values_come_back(protocol):
    value = {
        "a": [1, 2.5, None, True, "ü" * 5000, b"\x00" * 5000, (), (1, 2), {3}, frozenset({4})],
        "ordered": collections.OrderedDict(x=1),
        "defaults": collections.defaultdict(dict, y={}),
        "array": np.arange(9000.0),
    }
    found = read_snapshot(pickle.dumps(value, protocol))
    np.testing.assert_array_equal(found.pop("array"), value.pop("array"))
    found["a"][5] = bytes(found["a"][5])
    assert found == value


def test_objects_are_records():
    found = read_snapshot(
        pickled(
            {
                "module": Made("torch.nn.modules.container.Sequential", {"_modules": {}}),
                "release": Made("src.training.layers.TemporalDifferenceEncoder", {"d": 256}),
                "stored": Network("Generator", {"w": torch.ones(2)}, {"z_dim": 3}),
                "path": Called("pathlib.PosixPath", ("a", "b")),
                "size": Called("torch.Size", ((1, 2),)),
                "type": Named("builtins.dict"),
            }
        )
    )
    assert (found["module"].name, found["module"].state) == ("torch.nn.modules.container.Sequential", {"_modules": {}})
    assert found["release"].state == {"d": 256}
    assert found["stored"].name == "Generator"
    assert found["stored"].state["_init_kwargs"] == {"z_dim": 3}
    assert torch.equal(found["stored"].state["_parameters"]["w"].tensor(), torch.ones(2))
    assert isinstance(found["path"], Record)
    assert found["path"].arguments == ("a", "b")
    assert found["size"] == (1, 2)


def test_mappings_of_classes_of_their_own_are_filled():
    content = b"\x80\x03cdnnlib.util\nEasyDict\n)\x81X\x01\x00\x00\x00aK\x01s."
    assert read_snapshot(content).items == {"a": 1}


class Calls:
    def __init__(self, function, *arguments):
        self.how = function, arguments

    def __reduce__(self):
        return self.how


@pytest.mark.parametrize("dump", [pickle.dumps, *[KINDS[kind] for kind in ("stream", "zip")]])
@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Calls(os.system, "touch made"), "system"),
        (Calls(eval, "1"), "eval"),
        (Calls(getattr, {}, "keys"), "getattr"),
        (Calls(torch.load, "x"), "torch.serialization.load"),
        (Calls(torch.hub.load, "x", "y"), "torch.hub.load"),
        (collections.Counter("ab"), "Counter"),
    ],
)
def test_other_names_are_refused(value, name, dump, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        WeightsError, match=f"it holds '.*{name}': only networks, their weights and settings are read"
    ) as error:
        read_snapshot(dump({"a": [value]}))
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "value",
    [
        Called("torch_utils.persistence._reconstruct_persistent_obj", ({"type": "function", "class_name": "x"},)),
        Called("torch_utils.persistence._reconstruct_persistent_obj", ({"type": "class"},)),
        Called("torch_utils.persistence._reconstruct_persistent_obj", (1,)),
        Called("torch_utils.persistence._reconstruct_persistent_obj", ()),
        Called("torch.storage._load_from_bytes", (saved(torch.ones(2)),)),  # a zip
        Called("torch.storage._load_from_bytes", (KINDS["stream"](torch.ones(2)),)),  # no storage
        Called("torch.storage._load_from_bytes", (KINDS["stream"]([1]),)),
        Called("torch.storage._load_from_bytes", (KINDS["stream"](Calls(os.system, "false")),)),
        Called("torch.storage._load_from_bytes", (1,)),
        Called("torch._utils._rebuild_tensor_v2", (1, 0, (2,), (1,), False, {})),
        Called("torch.float32", ()),
        Called("builtins.dict", ()),
    ],
)  # fmt: skip
def test_calls_of_what_is_known_by_what_is_not_are_refused(value):
    with pytest.raises(WeightsError) as error:
        read_snapshot(pickled({"a": value}))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def stored_as(offset, shape, stride, count=6):
    stream = io.BytesIO()
    torch.save(torch.storage.TypedStorage(count, dtype=torch.float32, _internal=True), stream,
               _use_new_zipfile_serialization=False)  # fmt: skip
    storage = Called("torch.storage._load_from_bytes", (stream.getvalue(),))
    return pickled({"a": Called("torch._utils._rebuild_tensor_v2", (storage, offset, shape, stride, False, {}))})


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [(0, (7,), (1,)), (1, (6,), (1,)), (0, (2, 2), (1, 5)), (0, (-1,), (1,)), (0, (2,), (1, 1)), (0, (2,), (-1,)),
     (0, (1,) * 9, (1,) * 9), (0, ("2",), (1,)), (0, (2**62, 2**62), (0, 0)), (True, (1,), (1,))],
)  # fmt: skip
def test_tensors_beyond_their_storage_are_refused(offset, shape, stride):
    read_snapshot(stored_as(0, (2, 3), (3, 1)))
    with pytest.raises(WeightsError):
        read_snapshot(stored_as(offset, shape, stride))


def test_tensors_are_no_larger_than_the_file():
    """Strides of 0, and storages that are shared, would make gigabytes of a few numbers."""
    with pytest.raises(WeightsError, match="what it makes is larger than itself"):
        read_snapshot(stored_as(0, (10_000, 10_000), (0, 0)))
    shared = torch.ones(1000)
    with pytest.raises(WeightsError, match="what it makes is larger than itself"):
        read_snapshot(saved([shared.view(1, 1000) for _ in range(100)]))


def test_instructions_are_counted(monkeypatch):
    monkeypatch.setattr(reader, "INSTRUCTIONS", 500)
    read_snapshot(pickle.dumps([1] * 200))
    with pytest.raises(WeightsError, match="more instructions than"):
        read_snapshot(pickle.dumps([1] * 600))
    blob = pickled({"a": torch.ones(2)})
    start, end = blob.index(b"ctorch.storage"), blob.index(b"R", blob.index(b"little_endian")) + 1
    storage = blob[start:end]
    with pytest.raises(WeightsError, match="more instructions than"):  # those of storages, too
        read_snapshot(b"\x80\x03](" + storage * 30 + b"e.")


def test_what_refers_out_of_a_pickle_is_refused():
    with pytest.raises(WeightsError, match="refers to what is not in it"):
        read_snapshot(b"\x80\x03K\x01Q.")
    whole = saved(torch.nn.Linear(2, 2), _use_new_zipfile_serialization=False)  # with its class's source text
    assert b"module" in whole
    with pytest.raises(WeightsError, match="refers to something that is no storage"):
        read_snapshot(whole)


def test_streams_of_other_machines_are_refused():
    content = KINDS["stream"]({"x": torch.ones(2)})
    other = content.replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89")
    assert other != content
    with pytest.raises(WeightsError, match="a machine with another order of bytes"):
        read_snapshot(other)


@pytest.mark.parametrize("kind", KINDS)
def test_files_cut_short_are_refused(kind):
    content = KINDS[kind]({"x": torch.arange(3000.0), "y": [torch.ones(2)]})
    for end in (0, 1, 10, 30, 100, len(content) // 2, len(content) - 30, len(content) - 1):
        if kind == "zip" and end == len(content) - 1:
            continue  # a byte of the comment's length
        with pytest.raises(WeightsError) as error:
            read_snapshot(content[:end])
        assert "\n" not in str(error.value)


def rezipped(content, change=lambda name, data: data, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(out, "w", **options) as target:
        for name in archive.namelist():
            if (data := change(name, archive.read(name))) is not None:
                target.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        (lambda n, d: d, {"compression": zipfile.ZIP_DEFLATED}, "compressed or encrypted"),
        (lambda n, d: b"big" if n.endswith("byteorder") else d, {}, "another order of bytes"),
        (lambda n, d: None if n.endswith("data/0") else d, {}, "damaged: what it makes is larger"),
        (lambda n, d: d[:-4] if n.endswith("data/0") else d, {}, "bytes where there should be 3000 numbers"),
        (lambda n, d: None if n.endswith("data.pkl") else d, {}, "it has no data.pkl"),
    ],
)
def test_zips_that_torch_does_not_write_are_refused(change, options, told):
    content = saved({"x": torch.arange(3000.0)})
    assert torch.equal(read_snapshot(rezipped(content))["x"].tensor(), torch.arange(3000.0))
    with pytest.raises(WeightsError, match=told):
        read_snapshot(rezipped(content, change, **options))


def test_large_files_are_refused(monkeypatch):
    monkeypatch.setattr(reader, "LIMIT", 1000)
    with pytest.raises(WeightsError, match="too large: "):
        read_snapshot(bytes(1001))
