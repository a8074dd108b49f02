"""dataset.json: numbers of classes, whatever they are; names as Windows writes them."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from inrvid.data.labels import Labels
from inrvid.errors import DataError


def parsed(**content) -> Labels:
    return Labels.parse(json.dumps(content).encode(), "dataset.json")


def test_a_huge_number_allocates_nothing():
    tracemalloc.start()
    try:
        labels = parsed(labels=[["a", 10**12], ["b", 0]])
        assert labels.of("a", "") == str(10**12)
        with pytest.raises(DataError, match=r'2 different labels, as large as 1000000000000, .* or add "classes"'):
            labels.classes("dataset.json")
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("numbers", "fine"),
    [([0, 999], True), ([0, 1000], False), (list(range(0, 1001, 9)), True), ([20190510, 20190511], False)],
)
def test_ids_are_no_classes(numbers, fine):
    labels = parsed(labels=[[f"v{number}", number] for number in numbers])
    if fine:
        assert labels.classes("x") == [str(number) for number in range(max(numbers) + 1)]
    else:
        with pytest.raises(DataError, match="number the classes from 0 on"):
            labels.classes("x")


def test_named_classes():
    labels = parsed(labels=[["a", 1]], classes=["x", "y"])
    assert (labels.of("a", ""), labels.classes("")) == ("y", ["x", "y"])
    with pytest.raises(DataError, match="beyond the 1 classes"):
        parsed(labels=[["a", 1]], classes=["x"])


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'{"labels": [["a", -1]]}', b'{"labels": [["a", 1.5]]}', b'{"labels": [["a", 1e30]]}',
     b'{"fps": NaN}', b'{"fps": 0}', b'{"fps": 1e9}', b'{"fps": {"a": "25"}}', b'{"classes": [1]}', b"[" * 10**5,
     b'{"labels": [["a", 100000000000000000000000000]]}', b"\xff\xfe"],
)  # fmt: skip
def test_wrong_content_is_one_line(content):
    with pytest.raises(DataError, match=r"^dataset\.json: ") as caught:
        Labels.parse(content, "dataset.json")
    assert "\n" not in str(caught.value)


def test_windows():
    content = '{"labels": [["v\\\\1", 1], ["v/2/0.png", 0]], "fps": {"v\\\\1": 10}}'
    labels = Labels.parse(b"\xef\xbb\xbf" + content.encode(), "")
    assert (labels.of("v/1", ""), labels.of("v/2", "v/2/0.png"), labels.rate("v/1")) == ("1", "0", 10)


def test_null_labels():
    assert parsed(labels=None, fps=5).numbers is None
    assert parsed(labels=None).classes("") == []


def test_class_names_that_are_no_text_can_be_read_back():
    written = Labels({"a": 0}, ("caf\udce9",), 25.0).to_json()
    assert Labels.parse(written.encode(), "").names == ("caf\\xe9",)
