"""A run, or a saved model, as the folder that is published: networks, card, scores, samples, recipe.

    config.json, model.safetensors    the generator, its moving average
    discriminator/, generator/        for fine-tuning: D, and the generator as its optimizer left it
    recipe.yaml                       the recipe it was trained by
    evaluation.json                   its scores, as a record
    samples/                          videos of the first seeds, none selected; selected ones separately (`samples`)
    README.md                         the card

It loads as it stands (`from_pretrained`), and is pushed as it stands. It contains no paths of the machine that it was
trained on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import InrvidError, ModelError
from ..evaluation.record import Record, read_record
from ..files import read_text, refilling, write_text
from ..models.files import CONFIG, DISCRIMINATOR, GENERATOR, WEIGHTS, is_model
from ..models.pretrained import load_beside, load_generator
from ..plain_yaml import dump
from ..run_files import EVALUATION, METRICS, SCORES, read_metrics, read_scores
from .about import BEST_SEEDS, best_seeds, read_about, section, text, without_paths
from .card import CARD, RECIPE, renamed, render
from .samples import BEST, LONG, SEEDS, check_best, write_samples

WRITTEN = ("format", "inrvid_version", "generator", "components", "sha256")
"""Keys of config.json that saving writes."""


def is_packed(folder: Path) -> bool:
    """Whether it is such a folder already, to be pushed as it stands."""
    return is_model(folder) and (folder / CARD).is_file()


def pack(
    source: Path, target: Path, *, name: str | None = None, dtype: str | None = None, for_training: bool = True,
    license: str | None = None, data_license: str | None = None, best: Sequence[int] | None = None,
) -> None:  # fmt: skip
    """Pack a run or a saved model into the folder `target`, which is created if need be: whole, or not at all.

    Args:
        name: of the repository, for the card's usage lines; default: the folder's.
        dtype: float16 or bfloat16, for half the size.
        for_training: include D, and G as the optimizer left it, where the source has them.
        license: of the model, by the Hub's identifier; default: the recipe's `hub.license`.
        data_license: what the videos are, and their terms, in words; default: the recipe's `hub.data_license`.
        best: selected seeds, to be shown beside the first ones and marked as selected; default: those of `source`, if
            it was packed with some.

    Raises:
        InrvidError: `source` is no model, or `target` has files that are not of such a folder, or a card
            that was edited.
    """
    folder = next((place for place in (source, source / "model") if is_model(place)), None)
    if folder is None:
        raise ModelError(f"{source}: not a model: it has no {CONFIG} (nor model/{CONFIG})")
    _check_target(target)
    if best is not None:
        check_best(best)
    generator = load_generator(folder)
    name = name or target.name
    metadata = {**_metadata(folder, source), "name": name}
    _state_terms(metadata, license=license, data_license=data_license)
    seeds = _select_best(metadata, best)
    with refilling(target, _written(target), last=CARD) as made:
        generator.save_pretrained(made, dtype=dtype, **metadata)
        for kind, place in (("discriminators", DISCRIMINATOR), ("generators", GENERATOR)) if for_training else ():
            if (network := load_beside(kind, folder, place)) is not None:
                network.save_pretrained(made / place, dtype=dtype)
        write_samples(generator, made, seeds)
        if recipe := section(metadata, "recipe"):
            write_text(made / RECIPE, dump(_of_anyone(recipe)))
        _write_record((source, folder), made, name)
        write_text(made / CARD, render(made, name))


def _of_anyone(recipe: dict[str, Any]) -> dict[str, Any]:
    """The recipe without where its author publishes: whoever trains by it would publish there."""
    hub = section({"recipe": recipe}, "recipe", "hub")
    return {**recipe, "hub": {**hub, "repo_id": None}} if hub.get("repo_id") else recipe


def _written(target: Path) -> Iterator[str]:
    """The files of an older model that packing writes anew; whatever else is beside them stays."""
    yield from (CARD, RECIPE, EVALUATION)
    for folder in (DISCRIMINATOR, GENERATOR):
        yield from (f"{folder}/{name}" for name in (CONFIG, WEIGHTS))
    for samples in (SEEDS, LONG, BEST):
        yield from (path.relative_to(target).as_posix() for path in target.glob(f"{samples}.*"))


def _state_terms(metadata: dict[str, Any], **given: str | None) -> None:
    """Set the terms of model and data: as given, else as the recipe's `hub` has them, else as they were."""
    hub = section(metadata, "recipe", "hub")
    for key, value in given.items():
        if terms := value or hub.get(key) or metadata.get(key):
            metadata[key] = terms


def _select_best(metadata: dict[str, Any], best: Sequence[int] | None) -> list[int]:
    """The selected seeds, which are written to `metadata`; `best` None: those that it has already."""
    seeds = best_seeds(metadata) if best is None else list(best)
    metadata.pop(BEST_SEEDS, None)
    if seeds:
        metadata[BEST_SEEDS] = seeds
    return seeds


def _write_record(sources: Iterable[Path], target: Path, name: str) -> None:
    """Write the scores of the first of `sources` that has some."""
    scored = next((place / EVALUATION for place in sources if (place / EVALUATION).is_file()), None)
    if scored is not None:
        _named(read_record(scored), name).write(target / EVALUATION)


def _check_target(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise InrvidError(f"{target}: there is a file of that name")
    if target.is_dir() and any(target.iterdir()) and not is_packed(target):
        raise InrvidError(f"{target}: has files already, and is not a model with its card: give a new folder")
    if is_packed(target) and read_text(target / CARD) != render(target):
        raise InrvidError(
            f"{target / CARD}: was edited, or written by another version, and would be written anew: give a new "
            "folder, or remove this one, or push it"
        )


def _metadata(folder: Path, source: Path) -> dict[str, Any]:
    """What config.json has for people, and what the run's log adds."""
    metadata = without_paths({key: value for key, value in read_about(folder).items() if key not in WRITTEN})
    if scores := read_scores(source / SCORES)[0].trained:
        metadata["scores"] = scores
    if (source / METRICS).is_file():
        metadata["training"] = {**section(metadata, "training"), "hours": round(_hours(source / METRICS), 2)}
    return metadata


def named_for(folder: Path, target: Path, name: str) -> Path:
    """A packed folder or, if its card says to load it by another name, a copy in `target` whose card says `name`."""
    own = text(read_about(folder), "name")
    if own in ("", name):
        return folder
    shutil.copytree(folder, target, symlinks=True)  # a push refuses links that lead out of it
    write_text(target / CARD, renamed(read_text(target / CARD), own, name))
    return target


def _named(record: Record, model: str) -> Record:
    """A record without paths of the machine: the model by its name, the data by the last part of their path."""
    clean = without_paths(record.model_dump(mode="json", exclude_none=True))
    return Record.model_validate({**clean, "fake": {**clean["fake"], "name": model}}, strict=False)


def _hours(path: Path) -> float:
    """Hours spent on steps, by the log's rates; steps that a resumed run repeated count once."""
    seconds, before = 0.0, 0
    for line in read_metrics(path)[0]:
        clips, rate = line["clips"], line.get("clips_per_second")
        if rate and clips > before:  # other lines are scores
            seconds += (clips - before) / rate
            before = clips
    return seconds / 3600
