"""`inrvid recipe list|show|validate|schema`."""

from __future__ import annotations

import json

import typer

app = typer.Typer(no_args_is_help=True)

_RECIPE = typer.Argument(help="A recipe: a path, or the name of an installed one.")
_SET = typer.Option([], "--set", metavar="KEY=VALUE", help="Change a key of the recipe.")


@app.command("list")
def list_recipes(as_json: bool = typer.Option(False, "--json", help="For programs.")) -> None:
    """Installed recipes, and where their papers have them."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..recipe.file import installed_recipes
    from ..recipe.schema import about

    recipes = {name: about(path) for name, path in installed_recipes().items()}
    if as_json:
        rows = {name: recipe.model_dump(mode="json") for name, recipe in recipes.items()}
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table("recipe", "what it is, and where its paper has it", box=None)
    for name, recipe in recipes.items():
        place = f"\n{recipe.paper.title}, {recipe.paper.place}" if recipe.paper and recipe.paper.place else ""
        table.add_row(escape(name), f"{escape(recipe.description)}[dim]{escape(place)}[/dim]")
    Console().print(table)


@app.command()
def show(
    recipe: str = _RECIPE,
    overrides: list[str] = _SET,
    as_json: bool = typer.Option(False, "--json", help="For programs."),
) -> None:
    """The resolved recipe: every key with its value."""
    from ..recipe.schema import load_recipe

    resolved = load_recipe(recipe, overrides, report=lambda note: typer.echo(note, err=True))
    typer.echo(json.dumps(resolved.to_dict(), indent=2, ensure_ascii=False) if as_json else resolved.to_yaml().rstrip())


@app.command()
def validate(recipes: list[str] = typer.Argument(help="Recipes: paths or names."), overrides: list[str] = _SET) -> None:
    """Check recipes; exit code 2 if one is wrong."""
    from ..errors import InrvidError
    from ..recipe.schema import load_recipe

    wrong = 0
    for recipe in recipes:
        try:
            load_recipe(recipe, overrides, report=lambda note: typer.echo(note, err=True))
        except InrvidError as error:
            typer.echo(str(error), err=True)
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
