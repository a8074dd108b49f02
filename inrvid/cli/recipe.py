"""`inrvid recipe list|show|validate|schema`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from ..text import printable

if TYPE_CHECKING:
    from ..recipe.schema import About

app = typer.Typer(no_args_is_help=True)

_RECIPE = typer.Argument(help="A recipe: a path, or the name of an installed one.")
_SET = typer.Option([], "--set", metavar="KEY=VALUE", help="Change a key of the recipe.")


@app.command("list")
def list_recipes(as_json: bool = typer.Option(False, "--json", help="Print JSON instead of text.")) -> None:
    """Installed recipes, where their papers have them, and the packages that they came with."""
    from rich.console import Console
    from rich.text import Text

    from ..recipe.file import RECIPES

    for line in RECIPES.ignored():
        typer.echo(f"ignored: {line}", err=True)
    found = {name: _about(name, files[0].package) for name, files in RECIPES.claims().items()}
    if as_json:
        rows = {name: _row(what, package) for name, (what, package) in found.items()}
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    console = Console()
    wide = max(map(len, found), default=0)
    for name, (what, package) in found.items():
        shown = Text(f"{name:{wide}}  {_told(what)}")
        end = f"  {package}" if package else ""
        if console.is_terminal:  # elsewhere a line has no end at which it would be cut
            shown.truncate(max(wide + 2, console.width - len(end)), overflow="ellipsis")
        console.print(shown + Text(end), soft_wrap=True)


def _told(what: About | str) -> str:
    """What a recipe is and where its paper has it, or what is wrong with it, in a line."""
    if isinstance(what, str):
        told = f"broken: {what}"
    else:
        place = f" ({what.paper.title}, {what.paper.place})" if what.paper and what.paper.place else ""
        told = f"{what.description}{place}"
    return printable(" ".join(told.split()))


def _about(name: str, package: str) -> tuple[About | str, str]:
    """(What a recipe says of itself, or what is wrong with it; its package, if it is not the library's own)."""
    from ..errors import InrvidError
    from ..packages import OURS
    from ..recipe.schema import about

    package = "" if package == OURS else package
    try:
        return about(name), package
    except InrvidError as error:
        return str(error), package


def _row(what: About | str, package: str) -> dict[str, Any]:
    row = {"error": what} if isinstance(what, str) else what.model_dump(mode="json")
    return {**row, "package": package} if package else row


@app.command()
def show(
    recipe: str = _RECIPE,
    overrides: list[str] = _SET,
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of text."),
) -> None:
    """The resolved recipe: every key with its value."""
    from ..recipe.schema import load_recipe

    resolved = load_recipe(recipe, overrides, report=lambda note: typer.echo(printable(note), err=True))
    typer.echo(json.dumps(resolved.to_dict(), indent=2, ensure_ascii=False) if as_json else resolved.to_yaml().rstrip())


@app.command()
def validate(recipes: list[str] = typer.Argument(help="Recipes: paths or names."), overrides: list[str] = _SET) -> None:
    """Check recipes; exit code 2 if one is wrong."""
    from ..errors import InrvidError
    from ..recipe.schema import load_recipe

    wrong = 0
    for recipe in recipes:
        try:
            load_recipe(recipe, overrides, report=lambda note: typer.echo(printable(note), err=True))
        except InrvidError as error:
            typer.echo(printable(str(error)), err=True)
            wrong += 1
        else:
            typer.echo(f"{recipe}: ok")
    if wrong:
        raise typer.Exit(2)


@app.command()
def schema() -> None:
    """JSON Schema of recipes, with every installed component, for editors."""
    from ..recipe.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
