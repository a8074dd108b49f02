"""Networks by name: of a folder, a run, or a repository of the Hub."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, cast

from ..discriminators.base import Discriminator
from ..errors import ModelError, did_you_mean
from ..files import expanded, write_text
from ..generators.base import VideoGenerator
from . import hub
from .files import CONFIG, DISCRIMINATOR, GENERATOR, WEIGHTS, Network, is_model, load, save_network

GENERATORS = ("", "model")
PLACES = {"generators": GENERATORS, "discriminators": (DISCRIMINATOR, f"model/{DISCRIMINATOR}", "")}
"""Where a folder may have its network of a kind; the first place that has one is taken. `model` is that of a run."""

NAMED = 4
"""How many models of a folder are listed by name."""


def load_generator(name: str | Path, **options: Any) -> VideoGenerator:
    """Like `load_network`, for a generator."""
    return cast(VideoGenerator, load_network("generators", name, **options))


def load_discriminator(name: str | Path, **options: Any) -> Discriminator:
    """Like `load_network`, for a discriminator beside a generator or saved by itself."""
    return cast(Discriminator, load_network("discriminators", name, **options))


def load_network(
    kind: str,
    name: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    precision: str | None = None,
    subfolder: str | None = None,
) -> Network:
    """A network of a folder (a model, or a run with a `model/` in it) or a Hub repository `owner/name`.

    Args:
        kind: generators, or discriminators.
        revision: branch, tag or commit, on the Hub.
        precision: fp32, bf16 or fp16; default: the one it was trained in.
        subfolder: where in it; `generator` is a generator as the optimizer left it.

    Returns it in evaluation mode, on the CPU.

    Raises:
        ModelError: not found, not a model, damaged, weights that do not fit, or a component whose package is missing.
    """
    places = PLACES[kind] if subfolder is None else (subfolder, f"model/{subfolder}")
    folder = find(name, places, revision=revision, token=token)
    return load(folder, kind, precision)


def load_beside(kind: str, name: str | Path, subfolder: str, **options: Any) -> Network | None:
    """A network that a model may have beside its generator, in `subfolder`; None if it has none.

    Raises:
        ModelError: as `load_network`, for one that is there.
    """
    path = expanded(name)
    places = (subfolder, f"model/{subfolder}")
    if path.exists():
        there = any(is_model(path / place) for place in places)
    else:
        there = hub.has(str(name), f"{subfolder}/{CONFIG}", **options)
    return load_network(kind, name, subfolder=subfolder, **options) if there else None


def find(name: str | Path, places: tuple[str, ...], *, revision: str | None = None, token: str | None = None) -> Path:
    """The folder with a network, on disk or fetched from the Hub. Raises ModelError if there is none."""
    path = expanded(name)
    if path.exists():
        found = next((path / place for place in places if is_model(path / place)), None)
        if found is None:
            wanted = " nor ".join(str(Path(place) / CONFIG) for place in places)
            raise ModelError(f"{path}: not a model: it has no {wanted}{_inside(path, places)}")
        return found
    if not hub.is_name(str(name)):
        raise ModelError(f"{name}: no such folder, and not the name of a Hub repository (owner/name)")
    beside = [child.name for child in path.parent.iterdir() if child.is_dir()] if path.parent.is_dir() else []
    near = did_you_mean(path.name, beside)
    if revision is None and (near or _inside(path.parent, places)):  # a typo in a path, more likely than an owner
        raise ModelError(
            f"{name}: {path.parent} has no such folder.{near}\n"
            f"  a Hub repository of that name is found from where there is no folder '{path.parent}'"
        )
    there = [place for place in places if place != "model" and not place.startswith("model/")] or list(places[:1])
    chosen = there[-1]
    for place in there[:-1]:
        if hub.has(str(name), _in(place, CONFIG), revision=revision, token=token):
            chosen = place
            break
    files = [_in(chosen, file) for file in (CONFIG, WEIGHTS)]
    try:
        return hub.fetch(str(name), files, revision=revision, token=token) / chosen
    except ModelError as error:
        raise ModelError(f"{error}\n  (there is no folder of that name either)") from error.__cause__


def _inside(folder: Path, places: tuple[str, ...]) -> str:
    """A remark on the models inside a folder of runs, or of models; empty if there are none."""
    children = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [str(child) for child in children if any(is_model(child / place) for place in places)]
    return f"\n  one of those in it? {', '.join(found[:NAMED])}{', …' if len(found) > NAMED else ''}" if found else ""


def push_network(
    network: Network,
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    message: str = "Upload model with inrvid",
    dtype: str | None = None,
    **metadata: Any,
) -> str:
    """Publish a network's two files; returns the commit's address. For a model with its card: `inrvid hub push`.

    Raises:
        ModelError: the Hub refuses, or cannot be reached.
    """
    with tempfile.TemporaryDirectory() as directory:
        save_network(network, Path(directory), metadata, dtype=dtype)
        if not _has_card(repo_id, token):
            write_text(Path(directory) / "README.md", LITTLE_CARD.format(name=repo_id))
        return hub.push(Path(directory), repo_id, private=private, token=token, message=message, own=BESIDE).url


LITTLE_CARD = f"""---
library_name: {hub.LIBRARY}
pipeline_tag: {hub.PIPELINE}
tags: [video-generation]
---

# {{name}}

A network of the library inrvid, by itself: `inrvid hub push` publishes one with a card that says what it is.
"""
"""A card by which the Hub finds and counts a model; a fuller one, with scores and samples, is `inrvid.publishing`'s."""


def _has_card(repo_id: str, token: str | None) -> bool:
    try:
        return hub.has(repo_id, "README.md", token=token)
    except ModelError as error:
        if not hub.is_missing(error):  # else there is no such repository yet
            raise
        return False


BESIDE = (f"{DISCRIMINATOR}/*", f"{GENERATOR}/*", "samples/*", "evaluation.json", "recipe.yaml")
"""What an older push may have left: it belongs to the model that is being replaced."""


def _in(place: str, file: str) -> str:
    return f"{place}/{file}" if place else file
