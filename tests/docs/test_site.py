"""What docs/site/ makes: pages of components and models, and links that leave docs/ (mkdocs itself is not needed)."""

from __future__ import annotations

import inspect
import re

import pytest
import yaml

from inrvid import load_recipe
from inrvid.recipe.schema import Recipe
from inrvid.registry import REGISTRIES

from .commands import ROOT
from .test_pages import PAGES

pytest.importorskip("tomllib")  # before Python 3.11 the site cannot be built

from .site import module

components, models, outside, recipe_keys = map(module, ("components", "models", "outside", "recipe_keys"))
PAGE = components.pages()


BUILT_IN = [(kind, name) for kind, kinds in REGISTRIES.items() for name in kinds.built_in]


@pytest.mark.parametrize(("kind", "name"), BUILT_IN, ids=lambda part: part)
def test_a_component_has_its_keys_and_an_example_that_is_a_recipe(kind, name):
    page = PAGE[f"components/{kind}.md"]
    part = page.partition(f"\n## {name} {{")[2].partition("\n## ")[0]
    for key in REGISTRIES[kind].config_class(name).model_fields:
        assert key == "type" or f"| `{key}` |" in part
    text = part.partition("```yaml\n")[2].partition("```")[0]
    recipe = load_recipe(yaml.safe_load(text))
    assert f"type: {name}\n" in recipe.to_yaml()


@pytest.mark.parametrize("name", ["fourier", "log", "global", "conv1d", "inr_gan", "stylegan2", "logistic", "fvd"])
def test_what_a_paper_defines_has_its_equation_and_its_source(name):
    kind = next(kind for kind, known in BUILT_IN if known == name)
    part = PAGE[f"components/{kind}.md"].partition(f"\n## {name} {{")[2].partition("\n## ")[0]
    assert "Source: " in part
    assert "\n    " in part.partition("Source: ")[0]


def test_packages_beside_the_library_are_listed_without_being_imported():
    found = {(part.kind, part.name): part for part in components.packaged()}
    assert found["losses", "relativistic"].package == "inrvid-r3"
    assert all(part.summary for part in found.values())
    assert {part.package for part in found.values()} == {
        folder.name for folder in (ROOT / "plugins").iterdir() if (folder / "pyproject.toml").exists()
    }


def test_the_overview_of_packages_has_them_all():
    page = PAGE["packages/index.md"]
    assert re.findall(r"^\| \[([\w-]+)\]", page, flags=re.MULTILINE) == sorted(
        folder.name for folder in (ROOT / "plugins").iterdir() if (folder / "pyproject.toml").exists()
    )


def test_the_page_of_a_recipes_keys_has_every_key_once_and_says_what_it_is():
    page = recipe_keys.pages()["recipe_keys.md"]
    sections = {part.partition(" ")[0]: part for part in page.split("\n## ")[1:]}
    for name, (config, _) in recipe_keys.SECTIONS.items():
        keys = [key for key in config.model_fields if key != "type"]
        assert re.findall(r"^\| `(\w+)` \|", sections[name], flags=re.MULTILINE) == keys
    assert {*recipe_keys.SECTIONS, *recipe_keys.PARTS} <= {*Recipe.model_fields}
    assert "|  |" not in page


def test_published_models_have_facts_pictures_and_scores():
    page = models.pages()["models/index.md"]
    for folder in (ROOT / "hub").glob("*/config.json"):
        (picture,) = re.findall(rf"\(\.\./\.\./hub/({folder.parent.name}/samples/seeds\.\w+)\)\n", page)
        assert (ROOT / "hub" / picture).is_file()
    assert "| fvd16 | 461.4 ± 26 (protocol inrvid) |" in page


@pytest.mark.parametrize(
    ("link", "moved"),
    [
        ("[a](../benchmarks/README.md#x)", "[a](repository/benchmarks/README.md#x)"),
        (
            "![a](../hub/digan_landscapes_32/samples/seeds.png)",
            "![a](repository/hub/digan_landscapes_32/samples/seeds.png)",
        ),
        ("[a](../recipes/quickstart.yaml)", "[a](repository/recipes/quickstart.yaml.md)"),
        ("[a](../plugins/inrvid-r3)", "[a](repository/plugins/inrvid-r3/README.md)"),
        ("[a](../plugins)", "[a](plugins.md)"),
        ("[a](../README.md)", "[a](index.md)"),
        ("[a](uses.md#large) [b](https://a.b/c) [d](#e)", "[a](uses.md#large) [b](https://a.b/c) [d](#e)"),
        ("`[a](../recipes/quickstart.yaml)`", "`[a](../recipes/quickstart.yaml)`"),
        (
            '<img src="../hub/digan_landscapes_32/samples/seeds.png">',
            '<img src="repository/hub/digan_landscapes_32/samples/seeds.png">',
        ),
    ],
)
def test_links_that_leave_docs_lead_to_places_in_the_site(link, moved):
    assert outside.rewritten(link, ROOT / "docs" / "evaluation.md", "evaluation.md") == moved


def test_what_is_linked_to_is_followed():
    found = outside.brought({"x.md": "[a](../plugins/inrvid-r3) [b](../hub/digan_landscapes_32)"})
    card = found["repository/hub/digan_landscapes_32/README.md"]
    assert card.text.startswith("---")
    assert found["repository/hub/digan_landscapes_32/samples/seeds.mp4"].text is None
    assert "repository/plugins/inrvid-r3/README.md" in found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_pages_lead_to_files(page):
    missing = [str(target) for target in outside.targets(page.read_text("utf-8"), page) if not target.exists()]
    assert missing == []


def test_what_a_function_raises_is_no_part_of_a_description():
    text = components.described(
        type("A", (), {"__doc__": "One.\n\nTwo:\n- a\n- b\n  c\nThree.\n\nRaises:\n    E: x.\n"})
    )
    assert inspect.cleandoc(text) == "One.\n\nTwo:\n\n- a\n- b\n  c\n\nThree."
