"""The card of a model: what it is, how to use it, and what is needed to judge it, from the files of its folder.

The metadata on top is what the Hub counts and finds models by: library, pipeline, licence, scores, a sample video.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from ..errors import ModelError
from ..evaluation.detectors.base import DetectorDigest
from ..evaluation.record import Record, read_record
from ..evaluation.variant import variant_text
from ..files import TEXT_LIMIT, read_text
from ..generators.base import VideoGenerator
from ..models.files import DISCRIMINATOR, ModelConfig, is_model, read_config
from ..models.hub import LIBRARY, PIPELINE
from ..models.pretrained import load_generator
from ..registry import registry
from ..run_files import EVALUATION
from ..text import rounded
from .about import best_seeds, number, read_about, section, text
from .samples import BEST, LONG, SEEDS, longer, picture_of

CARD, RECIPE = "README.md", "recipe.yaml"
SIGNS = {"lower": "lower is better", "higher": "higher is better", "neither": ""}


def render(folder: Path, name: str | None = None) -> str:
    """The card of a folder as `inrvid.publishing.folder` writes it.

    Args:
        name: by which the model is loaded, a repository's or a path; default: the one it was packed with.

    Raises:
        ModelError: not a model's folder.
    """
    config = read_config(folder)
    if config.generator is None:
        raise ModelError(f"{folder}: a discriminator by itself has no card: give the folder of a generator")
    about, generator = read_about(folder), load_generator(folder)
    name = name or text(about, "name") or folder.resolve().name
    record = read_record(folder / EVALUATION) if (folder / EVALUATION).is_file() else None
    environment = Environment(loader=PackageLoader("inrvid", "publishing"), keep_trailing_newline=True)
    body = environment.get_template("card.md.jinja").render(
        **_introduced(config, generator, about, name),
        **_scores(record),
        pictures={Path(name).name: picture_of(folder, name) for name in (SEEDS, LONG, BEST)},
        long=longer(generator) if picture_of(folder, LONG) else 0,
        best=best_seeds(about) if picture_of(folder, BEST) else [],
        facts=_facts(config, generator),
        data=_data(about),
        training=_training(about),
        discriminator=is_model(folder / DISCRIMINATOR),
        requires=_required(about),
        recipe=read_text(folder / RECIPE, TEXT_LIMIT).rstrip() if (folder / RECIPE).is_file() else "",
    )
    return f"---\n{_metadata(folder, config, about, record, name)}\n---\n\n{body}"


def _required(about: dict[str, Any]) -> list[str]:
    """Names of the packages that the recipe needs."""
    given = section(about, "recipe").get("requires")
    names = [re.match(r"[\w.-]+", one) for one in given if isinstance(one, str)] if isinstance(given, list) else []
    return [f"`{name[0]}`" for name in names if name]


def renamed(card: str, old: str, new: str) -> str:
    """The card with another name as its title and in usage lines. The rest may have been edited, and stays."""
    card = card.replace(f"\n# {old.rsplit('/', 1)[-1]}\n", f"\n# {new.rsplit('/', 1)[-1]}\n", 1)
    before = r"(from_pretrained\(\"|inrvid generate |inrvid evaluate |--init |^- name: )"
    return re.sub(before + re.escape(old) + r"(?![\w./-])", lambda match: match[1] + new, card, flags=re.MULTILINE)


def _introduced(config: ModelConfig, generator: VideoGenerator, about: dict[str, Any], name: str) -> dict[str, Any]:
    recipe = section(about, "recipe")
    packages = sorted({provider.package for provider in config.components.values()} | {LIBRARY})
    return {
        "name": name,
        "title": name.rsplit("/", 1)[-1],
        "description": text(recipe, "description") or "A video generator.",
        "picture_text": "one video per row, frames from left to right",
        "packages": packages,
        "clip_length": generator.clip_length,
        "resolution": generator.resolution,
    }


def _facts(config: ModelConfig, generator: VideoGenerator) -> list[tuple[str, str]]:
    numbers = sum(parameter.numel() for parameter in generator.parameters())
    side, classes = generator.resolution, generator.label_dim
    parts = [
        (kind, component) for kind, _, component in (name.partition(".") for name in config.components)
    ]  # in the order in which they make up the generator, which is first
    rows = [(_titled(kind), f"`{component}`: {_summary(kind, component)}") for kind, component in parts]
    return [
        *rows,
        ("Frames", f"{side}×{side}, {generator.fps:g} a second; trained on {generator.clip_length}"),
        ("Classes", str(classes) if classes else "none: unconditional"),
        ("Parameters", f"{numbers / 1e6:.2f} million"),
    ]  # fmt: skip


def _titled(kind: str) -> str:
    return {"coords": "Coordinates", "motions": "Motion", "generators": "Generator"}.get(kind, kind.capitalize())


def _summary(kind: str, name: str) -> str:
    """The first line of a component's docstring, and its paper."""
    found = registry(kind)
    source = found.source(name)
    return found.summary(name).rstrip(".") + (f". {source}" if source else "")


def _data(about: dict[str, Any]) -> str:
    data, told = section(about, "recipe", "data"), text(about, "data_license")
    if not data:
        return told or "Not recorded."
    kind, path, fingerprint = text(data, "type"), text(data, "path"), text(about, "data_fingerprint")
    name = f"`{kind}`" + (f", `{path}`" if path else "")
    known = f" Fingerprint of the data and how they were read: `{fingerprint[:16]}…`." if fingerprint else ""
    terms = told or _terms(kind) or "Their licence was not recorded (`hub.data_license` in a recipe)."
    return f"Videos of the data set {name}.{known}\n\n{terms}"


def _terms(dataset: str) -> str:
    """What a data set says of its videos, if it is installed and says something."""
    found = registry("datasets")
    return str(getattr(found.component(dataset), "terms", "")) if dataset in found.names() else ""


def _training(about: dict[str, Any]) -> str:
    clips, training = number(about, "clips"), section(about, "training")
    if clips is None:
        return "Not recorded."
    hours = f", in {number(training, 'hours'):g} hours" if number(training, "hours") else ""
    device = f" on {text(training, 'device')}" if text(training, "device") else ""
    begun = text(section(about, "recipe", "train"), "init")
    start = f", beginning from `{begun}`" if begun else ""
    planned = number(section(about, "recipe", "train"), "kclips") or 0
    part = f" (of {planned * 1000:,.0f} that the recipe asks for)" if planned * 1000 > clips else ""
    by = f" with {LIBRARY} {text(about, 'inrvid_version')}"
    return f"{clips:,} clips{part} were shown to the discriminator{hours}{device}{start},{by}."


def _listed(value: Any) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def _scores(record: Record | None) -> dict[str, Any]:
    if record is None:
        return {"scores": []}
    rows = [
        {
            "name": name,
            "value": rounded(score.value, 4),
            "error": "" if score.error is None else rounded(score.error, 2),
            "better": SIGNS[score.better],
        }
        for name, score in record.scores.items()
    ]
    return {
        "scores": rows,
        "protocol": f"{record.protocol} {record.protocol_version}",
        "variant": variant_text(record.variant),
        "against": f"`{record.real.name}` ({', '.join(f'{k} {_listed(v)}' for k, v in record.real.settings.items())})",
        "clips": max(record.fake.clips.values(), default=0),
        "real_clips": max(record.real.clips.values(), default=0),
        "seed": record.settings.get("seed", 0),
        "detectors": [_detector(name, digest) for name, digest in record.detectors.items()],
        "notes": record.notes,
    }


def _detector(name: str, digest: DetectorDigest) -> str:
    package = f"{digest.package} {digest.version}".strip()
    weights = f"sha256 `{digest.sha256}`" if digest.sha256 else "no weights" if digest.trained else "random weights"
    origin = ", ".join(filter(None, (package, weights)))
    return f"`{name}`: {origin}; {digest.features}, {digest.precision}; resize: {digest.resize}"


def _metadata(folder: Path, config: ModelConfig, about: dict[str, Any], record: Record | None, name: str) -> str:
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        library_name=LIBRARY,
        pipeline_tag=PIPELINE,
        license=text(about, "license") or None,
        tags=["video-generation", "implicit-neural-representation", "gan", *_names(config)],
        widget=[{"text": "seeds from 0 on", "output": {"url": f"{LONG if picture_of(folder, LONG) else SEEDS}.mp4"}}],
        model_name=name if record else None,
        eval_results=None if record is None else _results(record),
    )
    return str(data.to_yaml()).strip()


def _results(record: Record) -> list[Any]:
    """Scores as the Hub shows them beside a model."""
    from huggingface_hub import EvalResult

    dataset = record.real.name.rsplit("/", 1)[-1]
    return [
        EvalResult(
            task_type=PIPELINE,
            dataset_type=dataset,
            dataset_name=dataset,
            metric_type=name,
            metric_name=f"{name} ({record.protocol} {record.protocol_version})",
            metric_value=score.value,
        )
        for name, score in record.scores.items()
    ]


def _names(config: ModelConfig) -> list[str]:
    return [name.partition(".")[2].replace("_", "-") for name in config.components]
