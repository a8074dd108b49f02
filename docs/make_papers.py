"""Write docs/papers.md: every table and figure of the papers, and the recipe or command that makes it.

    python docs/make_papers.py

It is made from the `paper` keys of the installed recipes and from docs/papers.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml
from pydantic import Field, model_validator

from inrvid import load_recipe
from inrvid.config import StrictModel, validate
from inrvid.files import write_text
from inrvid.recipe.file import own_recipes
from inrvid.recipe.paper import PaperConfig
from inrvid.recipe.schema import Recipe

FOLDER = Path(__file__).parent
PAGE = FOLDER / "papers.md"
NO_TABLE = 10**6
NAMES = {"is": "IS", "fid": "FID", "fvd": "FVD", "kvd": "KVD", "fvd16": "FVD16", "fvd128": "FVD128"}
"""Scores, as people write them."""
HEAD = """\
# The papers' experiments

Every table and figure of both papers that we know of, and the recipe or command that makes it. `inrvid train RECIPE
--data PATH` trains a recipe; its file says where the data are. Numbers are the papers' own, of their hardware; where a
number, or that of a table, is missing, our sources do not have it. Days are those of the paper's trainings, at most;
GPU-days are days on one GPU.

Protocols of the scores, which make two of them comparable or not:

- `digan`: real clips shuffled; I3D *logits* of frames scaled to 224 and centre-cropped, sample covariance; KVD with the
  kernel (x·y/d + 1)³; mean ± deviation of 10 runs.
- `stylegan-v`: the first 2,048 videos by name, one real clip each at a random offset, 2,048 generated ones from t = 0,
  no frame skipped, no flips; I3D of Kinetics-400 (TorchScript), population covariance. FVD16 and FVD128 are of 16 and
  128 frames; FID of the frames of 2,048 videos × 16 frames; IS by C3D, 10 splits.

This page is made by `python docs/make_papers.py`, from the recipes' `paper` keys and docs/papers.yaml.
"""


class Item(StrictModel):
    """A table or figure that is no recipe."""

    what: str = Field(description="what it shows")
    where: str = Field("", description="number of the table or figure")
    published: str = Field("", description="its figures")
    command: str = Field("", description="shell command that makes it")
    python: str = Field("", description="Python expression that makes it")
    missing: str = Field("", description="what there is not yet")
    package: str = Field("", description="the one of plugins/ that has its parts and recipes; default: none is needed")

    @model_validator(mode="after")
    def _says_how(self) -> Item:
        if not (self.command or self.python or self.missing):
            raise ValueError("needs a command, python, or what is missing")
        return self


class Paper(StrictModel):
    """One of the papers; `name` is the `paper.title` of its recipes."""

    name: str = Field(description="what it is known by")
    title: str = Field(description="in full")
    source: str = Field(description="where and when it was published")
    url: str = Field(description="where to read it")
    items: list[Item] = Field(description="its tables and figures that are no recipes")


def papers() -> list[Paper]:
    return [validate(Paper, data) for data in yaml.safe_load((FOLDER / "papers.yaml").read_text(encoding="utf-8"))]


def page() -> str:
    """The text of docs/papers.md."""
    recipes = [load_recipe(path) for path in own_recipes().values()]
    known = papers()
    others = [r for r in recipes if r.paper is None or r.paper.title not in {paper.name for paper in known}]
    parts = [HEAD, *(_section(paper, recipes) for paper in known), "## Of neither paper\n", _plain(others)]
    return "\n".join(parts)


def _section(paper: Paper, recipes: Iterable[Recipe]) -> str:
    own = [(r, r.paper) for r in recipes if r.paper and r.paper.title == paper.name]
    placed = sorted(((r, p) for r, p in own if p.place), key=lambda pair: _order(*pair))
    parts = [
        f"## {paper.name}\n",
        f"[{paper.title}]({paper.url}), {paper.source}.\n",
        _table(
            ("table", "row", "recipe", "published", "protocol", "trained on"),
            [(_number(p), p.row or "", _link(r), _scores(p), _code(p.protocol), _cost(p)) for r, p in placed],
        ),
        "### Figures and measurements\n",
        _table(("what", "where", "published", "how"), [(i.what, i.where, i.published, _how(i)) for i in paper.items]),
    ]
    unplaced = [r for r, p in own if not p.place]
    return "\n".join([*parts, "### In no table or figure\n", _plain(unplaced)] if unplaced else parts)


def _order(recipe: Recipe, paper: PaperConfig) -> tuple[tuple[int, ...], list[tuple[bool, int, str]]]:
    """By table, those without a number last; then by name, in which k2 is before k16."""
    parts = re.findall(r"[0-9]+|[^0-9]+", recipe.name)
    return paper.tables or (NO_TABLE,), [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _plain(recipes: Iterable[Recipe]) -> str:
    return _table(("recipe", "what it is"), [(_link(r), r.description) for r in recipes])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") or " " for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n".replace("|   |", "| |").replace("|   |", "| |") for line in lines)


def _link(recipe: Recipe) -> str:
    return f"[{recipe.name}](../recipes/{recipe.name}.yaml)"


def _number(paper: PaperConfig) -> str:
    tables = ", ".join(map(str, paper.tables))
    return f"figure {paper.figure}" if paper.figure and not tables else tables


def _scores(paper: PaperConfig) -> str:
    return ", ".join(
        f"{NAMES.get(name, name)} {value:g}" + (f" ± {paper.plus_minus[name]:g}" if name in paper.plus_minus else "")
        for name, value in paper.scores.items()
    )


def _cost(paper: PaperConfig) -> str:
    days = f"{paper.days:g} days" if paper.days else ""
    return " on ".join(part for part in (days, paper.hardware) if part)


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _how(item: Item) -> str:
    missing = f"missing: {item.missing}" if item.missing else ""
    ways = "; ".join(part for part in (_code(item.command), _code(item.python), missing) if part)
    return f"{ways} (with [{item.package}](../plugins/{item.package}))" if item.package else ways


if __name__ == "__main__":
    write_text(PAGE, page())
    print(PAGE)
