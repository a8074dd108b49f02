"""Names of files, on any system."""

from __future__ import annotations

import pytest

from inrvid.text import file_name, is_file_name


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
