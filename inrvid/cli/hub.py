"""`inrvid hub`: models out to the Hub, and back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer

from ..text import printable

app = typer.Typer(no_args_is_help=True, help="Publish models on the Hub, and get them from there.")

NETWORKS = typer.Option(
    True, "--for-training/--generator-only", help="Include the discriminator, if there is one, for fine-tuning."
)
HALF = typer.Option(False, "--half", help="Weights as float16: half the bytes.")
LICENSE = typer.Option(None, "--license", help="Of the model, by the Hub's identifier: apache-2.0, cc-by-4.0, other …")
DATA_LICENSE = typer.Option(None, "--data-license", metavar="TEXT", help="What the videos are, and under which terms.")
BEST = typer.Option(
    None,
    "--best",
    metavar="3,17,40-42",
    help="Seeds that you selected: shown beside the first ones, and marked as selected.",
)


@app.command()
def push(
    model: Path = typer.Argument(help="A run, a saved model, or a folder that `inrvid hub pack` made."),
    repo: str = typer.Argument(metavar="REPO", help="owner/name; made if it is not there."),
    private: bool = typer.Option(False, "--private", help="A new repository is private."),
    for_training: bool = NETWORKS,
    half: bool = HALF,
    license: str = LICENSE,
    data_license: str = DATA_LICENSE,
    best: str = BEST,
    message: str = typer.Option("Upload model with inrvid", "-m", "--message", help="Of the commit."),
) -> None:
    """Publish a model with its card, scores and samples, in one commit. A folder that has a card goes as it stands."""
    from ..errors import InrvidError
    from ..models import hub
    from ..models.pretrained import BESIDE
    from ..publishing.folder import is_packed, named_for, pack

    hub.check_publishing(repo, "REPO")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        if is_packed(model):
            if half or license or data_license or best is not None or not for_training:
                raise InrvidError(f"{model}: has a card, and goes as it stands: pack it anew with these options")
            folder = named_for(model, folder, repo)
        else:
            pack(
                model, folder, name=repo, dtype="float16" if half else None, for_training=for_training,
                license=license, data_license=data_license, best=_seeds(best),
            )  # fmt: skip
        published = hub.push(folder, repo, private=private, message=message, own=BESIDE)
    typer.echo(f"{published.page}\n{'commit' if published.new else 'nothing has changed since'} {published.url}")


@app.command()
def pack(
    model: Path = typer.Argument(help="A run, or a saved model."),
    output: Path = typer.Argument(metavar="OUT", help="A new folder, or one that was packed before."),
    name: str = typer.Option(None, "--name", help="owner/name, for the card's lines of use; default: the folder's."),
    for_training: bool = NETWORKS,
    half: bool = HALF,
    license: str = LICENSE,
    data_license: str = DATA_LICENSE,
    best: str = BEST,
) -> None:
    """Write the folder that `push` publishes: to look at it, to edit its card, to keep it."""
    from ..publishing.folder import pack as write

    write(
        model, output, name=name, dtype="float16" if half else None, for_training=for_training,
        license=license, data_license=data_license, best=_seeds(best),
    )  # fmt: skip
    typer.echo(f"{output}: look at its README.md, then: inrvid hub push {output} OWNER/NAME")


def _seeds(best: str | None) -> list[int] | None:
    from ..applications.targets import parse_whole

    return None if best is None else parse_whole(best, "--best", "seeds")


@app.command()
def pull(
    repo: str = typer.Argument(metavar="REPO", help="owner/name."),
    output: Path = typer.Argument(None, metavar="OUT", help="Where to; default: a folder of the repository's name."),
    revision: str = typer.Option(None, "--revision", help="A branch, tag or commit."),
) -> None:
    """Get all files of a model, verified by the Hub's digests."""
    from ..publishing.pull import pull as get

    typer.echo(get(repo, output or Path(repo.rsplit("/", 1)[-1]), revision))


@app.command()
def card(
    model: Path = typer.Argument(help="A folder that `inrvid hub pack` made, or `pull` got."),
    output: Path = typer.Option(
        None, "-o", "--output", help="card.html, or card.md; default: as text on the terminal."
    ),
    name: str = typer.Option(None, "--name", help="owner/name, for the lines of use; default: the folder's."),
    edited: bool = typer.Option(False, "--edited", help="The folder's own README.md, instead of one made anew."),
) -> None:
    """Show the card of a model, made anew from its files."""
    from ..publishing.show import show

    text = show(model, output, name, edited)
    typer.echo("\n".join(map(printable, text.split("\n"))), nl=False)


@app.command("list")
def list_(
    where: str = typer.Argument(None, metavar="[OWNER|FOLDER]", help="Whose models, or a folder of models."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of text."),
) -> None:
    """Models of this library: on the Hub, or in a folder."""
    from ..publishing.listing import listing

    typer.echo(listing(where, as_json=as_json))
