"""What the check of a package finds wrong with its recipes."""

from __future__ import annotations

import pytest

from inrvid.starter.check import checked

from ..packages import install_files


@pytest.mark.filterwarnings("ignore:recipe 'quickstart'")
def test_a_package_s_own_recipes_are_checked(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    own, wrong = "extends: quickstart\n", "extends: quickstart\nbatch: 1\n"
    install_files(tmp_path, "inrvid.recipes", "lab", "lab = lab.recipes", quickstart=own, lab_one=own, lab_two=wrong)
    results = {what: tuple(result) for what, result in checked("lab")}
    assert results["recipe lab_one"][:2] == ("is valid", "passed")
    assert results["recipe lab_two"][:2] == ("is valid", "failed")
    assert results["recipe quickstart"] == (
        "has its name",
        "failed",
        "recipe 'quickstart' is the library's own: that of lab 1.2 is ignored",
    )
