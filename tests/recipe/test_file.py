"""Recipes that packages bring: found by name without an import, as the library's own are."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from inrvid import InrvidError, build_generator, load_recipe
from inrvid.recipe.file import RECIPES, own_recipes

from ..cli.test_cli import inrvid, refusal
from ..packages import install_files

SMALL = "extends: quickstart\ndescription: for a look\ngenerator: {channel_max: 8}\n"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A place that packages are installed in."""
    folder = tmp_path / "site"
    monkeypatch.syspath_prepend(folder)
    return folder


def install(site, package="lab", points="lab = lab.recipes", **files):
    return install_files(site, "inrvid.recipes", package, points, **files)


def test_a_package_s_recipe_is_found_by_name_and_nothing_is_imported(site, tmp_path):
    install(site, small=SMALL, smaller="extends: small\ntrain: {kclips: 1}\n")
    recipe = load_recipe("smaller")
    assert (recipe.name, recipe.train.kclips) == ("smaller", 1)
    assert (load_recipe("small").description, recipe.description) == ("for a look", "")  # it is another experiment
    assert build_generator("small").config["channel_max"] == 8
    (tmp_path / "mine.yaml").write_text("extends: smaller\n")
    assert load_recipe(tmp_path / "mine.yaml").generator.channel_max == 8
    assert "lab" not in sys.modules
    assert "small" not in own_recipes()


def test_what_installed_recipes_drop_is_not_reported(site):
    """What a recipe of a package drops of one that it extends is its author's business."""
    install(site, other="extends: quickstart\ngenerator: {motion: {type: static}}\n")
    told = []
    load_recipe("other", report=told.append)
    assert told == []


def test_a_name_of_the_library_s_own_stays_its_own(site):
    install(site, quickstart=SMALL)
    with pytest.warns(UserWarning, match=r"recipe 'quickstart' is the library's own: that of lab 1\.2 is ignored"):
        assert load_recipe("quickstart").generator.channel_max == 64
    assert RECIPES.ignored() == ["recipe 'quickstart' is the library's own: that of lab 1.2 is ignored"]


def test_two_claims_of_one_name_are_refused(site):
    install(site, small=SMALL, other=SMALL)
    install(site, "rival", "r = rival.recipes", small=SMALL)
    with pytest.raises(InrvidError, match=r"^recipe 'small' is claimed by lab 1\.2 and rival 1\.2: uninstall"):
        load_recipe("small")
    assert load_recipe("other").name == "other"


def test_the_commands(site, tmp_path):
    install(site, small=SMALL, broken="extends: quickstart\ndescription: [")
    listed = json.loads(inrvid("recipe", "list", "--json", cwd=tmp_path).stdout)
    assert listed["small"] == {"description": "for a look", "paper": None, "package": "lab"}
    assert "not YAML" in listed["broken"]["error"]
    assert "package" not in listed["quickstart"]
    shown = inrvid("recipe", "list", cwd=tmp_path).stdout
    assert next(line for line in shown.splitlines() if line.startswith("broken ")).split()[1] == "broken:"
    assert [line.split()[-1] for line in shown.splitlines() if line.split()[:1] == ["small"]] == ["lab"]
    assert "channel_max: 8" in inrvid("recipe", "show", "small", cwd=tmp_path).stdout
    assert inrvid("recipe", "validate", "small", cwd=tmp_path).stdout == "small: ok\n"
    assert "channel_max: 8" in inrvid("train", "small", "--dry-run", cwd=tmp_path).stdout
    message = refusal("train", "smal", cwd=tmp_path)
    assert "no recipe 'smal'" in message
    assert "Did you mean 'small'?" in message
    assert "a package that is not may bring it" in message


@pytest.mark.parametrize("requires", ["[gone==1.2]", "gone==1.2", "[pydantic>=1]", "[7, gone==1.2]"])
def test_a_name_whose_package_is_gone_is_told_by_its_last_run(requires, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, text in (("001", "requires: [older==1]"), ("002", f"requires: {requires}")):
        Path("runs/lost", number).mkdir(parents=True)
        Path("runs/lost", number, "recipe.yaml").write_text(text)
    with pytest.raises(InrvidError) as error:
        load_recipe("lost")
    told = "its run runs/lost/002 requires gone==1.2, which is not installed: pip install gone"
    assert (told in str(error.value)) == (requires.startswith("[") and "gone" in requires)
    assert ("a package that is not may bring it" in str(error.value)) == (told not in str(error.value))
