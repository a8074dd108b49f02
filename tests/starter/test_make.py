"""What a package to begin with consists of, and what is refused before anything is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from inrvid import InrvidError
from inrvid.registry import REGISTRIES
from inrvid.starter.make import KINDS, SECTIONS, make


def test_there_is_a_template_for_every_kind():
    assert sorted(KINDS.values()) == sorted(REGISTRIES) == sorted(SECTIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_files(kind, tmp_path):
    folder = tmp_path / "inrvid-my-own"
    written = make(folder, kind)
    assert sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()) == sorted(written)
    texts = {str(path): (folder / path).read_text() for path in written}
    assert not [name for name, text in texts.items() if "{{" in text.replace("${{", "") or "{%" in text]
    assert f'"{KINDS[kind]}.my_own" = "inrvid_my_own.my_own:MyOwn' in texts["pyproject.toml"]
    assert "No licence has been chosen" in texts["LICENSE"]
    (jobs,) = yaml.safe_load(texts[".github/workflows/tests.yaml"])["jobs"].values()
    assert {"run": "inrvid plugins check inrvid-my-own"} in jobs["steps"]
    for words in ("ruff check .", "ruff format --check ."):
        command = [sys.executable, "-m", *words.split()]
        assert subprocess.run(command, cwd=folder, capture_output=True).returncode == 0, words
    assert [path.name for path in tmp_path.iterdir()] == ["inrvid-my-own"]


def test_the_name_of_the_component_may_be_another(tmp_path):
    make(tmp_path / "lab", "loss", "least_squares")
    assert "class LeastSquaresLoss(" in (tmp_path / "lab" / "lab" / "least_squares.py").read_text()


@pytest.mark.parametrize(
    ("folder", "kind", "name", "told"),
    [
        ("inrvid-own", "motions", None, "--kind motions: no such kind. Did you mean 'motion'?"),
        ("Own", "motion", None, "'Own' cannot be a package's name"),
        ("own--two", "motion", None, "cannot be a package's name"),
        ("inrvid-own", "motion", "Own", "--name Own: small letters, digits and '_'"),
        ("inrvid-own", "motion", "class", "--name class: small letters"),
        ("inrvid-own", "motion", "global", "--name global: "),
        ("inrvid-own", "motion", "conv1d", "--name conv1d: inrvid has a motion of that name"),
        ("inrvid-own", "motion", "recipes", "--name recipes: the package's folder of recipes has that name"),
        ("inrvid-own", "discriminator", "residual", "its class ResidualDiscriminator would be one of inrvid.plugins"),
        ("inrvid-own", "loss", "digan", "--name digan: inrvid has a recipe named digan_landscapes_32"),
        ("json", "motion", None, "json: a module of that name is installed already"),
        ("full", "motion", None, "full: is there already, and not empty"),
        ("full/file", "motion", None, "file: a file or device, not a folder|is there already"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(folder, kind, name, told, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    with pytest.raises((InrvidError, OSError), match=told):
        make(tmp_path / folder, kind, name)
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "file"]


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("inrvid.starter.make.write_text", lambda path, text: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        make(tmp_path / "inrvid-own", "motion")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "inrvid-own").mkdir()
    make(tmp_path / "inrvid-own", "metric")
    assert (tmp_path / "inrvid-own" / "inrvid_own" / "own.py").is_file()


def test_its_own_tests_run_against_the_installed_library(tmp_path):
    """Built and installed by pip, as a user would: the checks and its own test pass."""
    make(tmp_path / "inrvid-own", "time_sampler")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    site = tmp_path / "site"
    subprocess.run([*pip, "--target", str(site), str(tmp_path / "inrvid-own")], check=True, capture_output=True)
    assert (site / "inrvid_own" / "recipes" / "own_landscapes_32.yaml").is_file()
    path = os.pathsep.join([str(site), str(Path(__file__).parents[2])])
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    result = subprocess.run(
        tests, cwd=tmp_path / "inrvid-own", env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout
    assert "7 passed" in result.stdout
