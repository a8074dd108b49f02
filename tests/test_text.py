"""Names of files, on any system; numbers."""

from __future__ import annotations

import pytest

from inrvid.errors import dotted
from inrvid.text import file_name, is_file_name, printable, rounded


@pytest.mark.parametrize("name", ["a", "sun over hills", "日の出", "v1.2", "console", ".hidden", "lpt", "x" * 200])
def test_names_that_any_system_has_stay(name):
    assert is_file_name(name)
    assert file_name(name) == name


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("a/b\\c", "a_b_c"),
        ("12:30 <b>", "12_30 _b_"),
        ('what?*|"', "what____"),
        ("ends.", "ends"),
        (" padded ", "padded"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("com1", "_com1"),
        ("a\nb", "a_b"),
        ("é" * 101, "é" * 100),
    ],
)
def test_others_are_replaced(name, instead):
    assert not is_file_name(name)
    assert file_name(name) == instead
    assert is_file_name(instead)


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u2028", "\x1b", "\x9b", "\ud800"])
def test_what_a_terminal_obeys_is_not_shown(sign):
    assert printable(f"a{sign}b\nc") == "a\N{REPLACEMENT CHARACTER}b\nc"


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (104.2, 2, "100"),
        (919.9, 2, "920"),
        (12345.6, 4, "12350"),
        (461.3648, 4, "461.4"),
        (26.4, 2, "26"),
        (0.0008, 2, "0.0008"),
        (-0.000034567, 2, "-3.5e-05"),
        (0.0, 2, "0"),
        (float("nan"), 2, "nan"),
    ],
)
def test_numbers_have_no_exponent_below_a_million(value, digits, shown):
    assert rounded(value, digits) == shown


def test_a_key_is_told_on_one_line():
    assert dotted(["a\nquickstart.yaml: ok", "b"]) == "a quickstart.yaml: ok.b"
