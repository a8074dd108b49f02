"""Recipes: one YAML file per experiment.

How a recipe becomes a `Recipe`:
1. its file and those it `extends` are read (with the line of every key), then `--set` is added: layers;
2. layers are merged, the later over the earlier (`merge`);
3. what one part needs from another is derived where it is not written, refused where it contradicts (`fit`);
4. everything is validated; an error names file, line, key and the nearest match.

Importing this module imports no torch; reading a recipe imports the parts that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field

from .. import plain_yaml
from ..config import (
    MOST,
    Count,
    FileName,
    Natural,
    NonNegative,
    PartConfig,
    PathText,
    Positive,
    Seed,
    StrictModel,
    inline_refs,
    validate,
)
from ..errors import ConfigError, InrvidError, dotted
from ..packages import PackageText, missing
from ..plain_yaml import KeyPath
from ..precision import HALF_KEYS, Precision
from ..registry import PartOf, parts_in, registry
from ..schedule import Cosine
from .file import Layer, Overrides, find_recipe, read_layer, read_overrides
from .fit import DERIVED, Problems, derive, eval_problems, follow_protocol
from .merge import merge_layer
from .paper import PaperConfig

if TYPE_CHECKING:
    from ..data.base import VideoDataset
    from ..discriminators.base import Discriminator
    from ..generators.base import VideoGenerator
    from ..time_samplers.base import TimeSampler

    DatasetConfig: TypeAlias = VideoDataset.Config
    GeneratorConfig: TypeAlias = VideoGenerator.Config
    DiscriminatorConfig: TypeAlias = Discriminator.Config
    TimeSamplerConfig: TypeAlias = TimeSampler.Config
else:  # the registry resolves them, once their types are known
    DatasetConfig = GeneratorConfig = DiscriminatorConfig = TimeSamplerConfig = PartConfig

Decay = Annotated[float, Field(ge=0, lt=1)]


class DecayCosine(Cosine):
    start: Decay = Field(description="value at the beginning")
    end: Decay = Field(description="value after kclips, and from then on")


KClips = Annotated[float, Field(ge=0.001, le=1e8)]
"""Thousands of clips; at least one clip."""


class OptimizerConfig(StrictModel):
    """Adam. What may change during training is a number, or a cosine: `{start: 2e-4, end: 5e-5, kclips: 1000}`."""

    lr: Positive | Cosine = Field(0.0025, description="learning rate, or a cosine")
    betas: Annotated[tuple[Decay | DecayCosine, Decay | DecayCosine], Field(strict=False)] = Field(
        (0.0, 0.99), description="decay of the moments; each a number, or a cosine"
    )
    eps: Positive = Field(1e-8, description="ε of Adam")
    weight_decay: NonNegative = Field(0.0, description="λ of L2: λ·θ is added to the gradient")
    lazy_interval: Natural = Field(
        16, description="k of lazy regularisation: lr and betas become lr·c and betas^c, c = k/(k + 1); 0: as written"
    )


class OptimConfig(StrictModel):
    generator: OptimizerConfig = Field(OptimizerConfig(lazy_interval=4), description="the generator's optimizer")
    discriminator: OptimizerConfig = Field(OptimizerConfig(), description="the discriminator's optimizer")


class TrainConfig(StrictModel):
    """Lengths are in thousands of real clips shown to the discriminator; the batch is that of all processes together.

    StyleGAN-V counts frames: `kclips` is its length over the frames per clip, `ema_rampup` its ramp-up times them.
    """

    kclips: KClips = Field(25000.0, description="length of the training, thousands of real clips")
    batch_size: Annotated[int, Field(ge=1, le=2**20)] = Field(64, description="clips per step, over all processes")
    micro_batch: Count | None = Field(
        None, description="clips that a process handles at a time, accumulating gradients; default: its whole share"
    )
    init: PathText | None = Field(
        None,
        description="begin from the weights of this model, as far as they fit: a folder, a run, or a name on the Hub",
    )
    ema_kclips: NonNegative | Cosine = Field(
        20.0, description="half-life of the generator's moving average, or a cosine"
    )
    ema_rampup: NonNegative = Field(
        0.05, description="half-life at most this fraction of the clips seen; 0, or with init: no limit"
    )
    log_kclips: KClips = Field(0.5, description="interval between lines of metrics.jsonl")
    sample_kclips: KClips = Field(200.0, description="interval of sample videos")
    sample_videos: Annotated[int, Field(ge=1, le=4096)] = Field(16, description="videos of a sample grid")
    checkpoint_kclips: KClips = Field(400.0, description="interval of checkpoints")
    keep_last: Count = Field(2, description="number of the newest checkpoints to keep")
    keep_kclips: KClips | None = Field(None, description="also keep one from each interval of this many thousand clips")
    keep_best: str | None = Field(
        None,
        description="also keep the one with the best score of this name (e.g. statistics/spatial), of eval.metrics",
    )
    tensorboard: bool = Field(True, description="write TensorBoard's files beside metrics.jsonl")
    trackers: Annotated[tuple[str, ...], Field(strict=False, max_length=20)] = Field(
        (), description="other trackers, through Accelerate: wandb, trackio, ..."
    )
    precision: Precision = Field(
        "fp32",
        description="what runs in half precision, in both networks: bf16: all features; fp16: those of the 4 highest "
        "resolutions (StyleGAN-V); phases, styles, sums of pictures and penalties' sums stay float32",
    )
    compile: bool = Field(
        False, description="torch.compile G and D, except in steps with a gradient penalty, which it would get wrong"
    )
    on_divergence: Literal["warn", "rollback", "stop"] = Field(
        "warn",
        description="what to do when a loss is no longer finite; rollback: to the last checkpoint, with another draw",
    )
    callbacks: Annotated[tuple[Annotated[PartConfig, PartOf("callbacks")], ...], Field(strict=False)] = Field(
        (), description="callbacks of other packages, called in the course of a run, after the library's own"
    )


class EvalConfig(StrictModel):
    protocol: PathText | None = Field(
        None,
        description="protocol to evaluate by, a name or file as for `inrvid evaluate`; its metrics and clips are used "
        "where none are written. The record is evaluation.json",
    )
    metrics: Annotated[tuple[Annotated[PartConfig, PartOf("metrics")], ...], Field(strict=False)] = Field(
        (), description="what is measured at the end, and on the untrained generator for comparison"
    )
    clips: Annotated[int, Field(ge=2, le=MOST)] = Field(256, description="number of clips, real and generated")
    interval_kclips: KClips | None = Field(
        None, description="interval of scores in metrics.jsonl, thousands of clips; default: only at the end"
    )
    data: dict[str, Any] = Field({}, description="keys of `data` that differ for the held-out clips")


class HubConfig(StrictModel):
    repo_id: str | None = Field(None, description="Hub repository to publish the model to at the end, owner/name")
    private: bool = Field(False, description="create the repository as private")
    license: str | None = Field(
        None, description="the model's licence, by the Hub's identifier (apache-2.0, cc-by-4.0, other, …), for its card"
    )
    data_license: str | None = Field(
        None, description="what the videos are, from where, and under which terms, in words, for the card"
    )


class Recipe(StrictModel):
    """A resolved recipe: every key has its value."""

    name: FileName = Field(description="name of the experiment; the run's folder is named after it")
    description: str = Field("", description="what it is, in a sentence")
    paper: PaperConfig | None = Field(
        None, description="what a paper published of it; like the name, not inherited by recipes that extend this one"
    )
    seed: Seed = Field(0, description="seed of the whole run: weights, latents, data")
    data: Annotated[DatasetConfig, PartOf("datasets")] = Field(description="where the real videos come from")
    generator: Annotated[GeneratorConfig, PartOf("generators")] = Field(description="latents → video")
    discriminator: Annotated[DiscriminatorConfig, PartOf("discriminators")] = Field(description="frames → logits")
    time_sampler: Annotated[TimeSamplerConfig, PartOf("time_samplers")] = Field(description="which times D sees")
    augment: Annotated[PartConfig, PartOf("augments")] = Field(
        {"type": "none"},
        validate_default=True,
        description="augmentation of what D sees",
    )
    loss: Annotated[PartConfig, PartOf("losses")] = Field(
        {"type": "logistic"},
        validate_default=True,
        description="losses and penalty",
    )
    optim: OptimConfig = Field(OptimConfig(), description="optimizers")
    train: TrainConfig = Field(TrainConfig(), description="length, batch, intervals")
    eval: EvalConfig = Field(EvalConfig(), description="scores")
    hub: HubConfig = Field(HubConfig(), description="publishing")
    requires: Annotated[tuple[PackageText, ...], Field(strict=False, max_length=100)] = Field(
        (), description="packages that bring parts of it; an error says if one is not installed"
    )

    def to_yaml(self) -> str:
        return plain_yaml.dump(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Plain data from which the recipe can be loaded, and its `train.precision` changed."""
        data = self.model_dump(mode="json")
        for section in ("generator", "discriminator"):
            data[section] = {key: value for key, value in data[section].items() if key not in HALF_KEYS}
        if not data["requires"]:
            del data["requires"]
        return data


CHANGES_THE_PAPERS = {"generator", "discriminator", "time_sampler", "augment", "loss"}
"""Sections whose overrides make an experiment differ from the paper's."""


def load_recipe(
    source: str | Path | Mapping[str, Any],
    overrides: Overrides = (),
    *,
    report: Callable[[str], None] = lambda note: None,
) -> Recipe:
    """The recipe that `source` (a path, the name of an installed recipe, or a mapping) and overrides describe.

    Args:
        overrides: each `key.path=value`, the value in YAML, or (key.path, value); or a mapping of key.path to value.
        report: called with a line for each part whose change of type dropped inherited keys, by the recipe itself or by
            an override: not by recipes that it extends, nor by an installed one.

    Raises:
        InrvidError: not found, not YAML, unknown keys or names, wrong values, parts that do not fit; the message
            has one line for each problem, with file and line.
    """
    layers = [*_layers(source), read_overrides(overrides)]
    merged = _merged(layers, report)
    recipe, problems = _fitted(merged.data)
    if problems:
        lines = [_located(path, message, merged) for path, message in problems]
        raise InvalidRecipe("\n".join([*_missing_packages(layers), *lines]))
    assert recipe is not None
    return recipe.model_copy(update={"requires": _requires(recipe)})


def _merged(layers: Sequence[Layer], report: Callable[[str], None]) -> Layer:
    """Each layer over those before it; the last is the overrides, and the one before it gives the recipe its name."""
    merged = Layer({}, {}, "")
    *_, named, overrides = layers
    for layer in layers:
        # What an extended recipe drops is its author's business.
        asked = (layer is named or layer is overrides) and not layer.installed
        merged = merge_layer(merged, layer, Recipe, report if asked else _silent)
    merged.data.setdefault("name", named.name)
    if not CHANGES_THE_PAPERS.isdisjoint(overrides.data):
        merged.data.pop("paper", None)
    return merged


def _fitted(data: dict[str, Any]) -> tuple[Recipe | None, Problems]:
    """The recipe of merged layers, in which derived values are filled in; or None, and what is wrong with it."""
    protocol_problems = follow_protocol(data)
    derived, problems = derive(data)
    problems += protocol_problems
    try:
        recipe = validate(Recipe, data)
    except ConfigError as error:
        return None, problems + _without_echoes(error, derived)
    problems = problems or eval_problems(data)
    return (None if problems else recipe), problems


def _without_echoes(error: ConfigError, derived: Mapping[KeyPath, str]) -> Problems:
    """The error's problems, except those of a derived value whose source is itself wrong."""
    wrong = {path for path, _ in error.problems}
    sources: dict[KeyPath, KeyPath] = {rule.target: rule.source for rule in DERIVED if rule.target in derived}
    return [
        (path, message + derived.get(path[:2], ""))
        for path, message in error.problems
        if sources.get(path[:2]) not in wrong
    ]


class About(StrictModel):
    """What a recipe says about itself; none of its parts is imported to read that."""

    description: str = ""
    paper: PaperConfig | None = None


def about(source: str | Path) -> About:
    """What a recipe says about itself. Raises InrvidError: not found, not YAML, or an invalid description or paper."""
    layers = _layers(source)
    told = {key: layer.data[key] for layer in layers for key in About.model_fields if key in layer.data}
    try:
        return validate(About, told)
    except ConfigError as error:
        raise InvalidRecipe(
            "\n".join(_located(path, message, layers[-1]) for path, message in error.problems)
        ) from None


class InvalidRecipe(InrvidError):
    """A recipe with problems: one line each, with file and line."""


def json_schema() -> dict[str, Any]:
    """JSON Schema of a recipe file, with every installed component, for editors."""
    schema = inline_refs(Recipe.model_json_schema())
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "recipe that this one changes: a name or a path",
    }
    schema.pop("required", None)  # a recipe that extends another leaves out what it shares
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _layers(source: str | Path | Mapping[str, Any]) -> list[Layer]:
    """The recipe's layers, the most general first."""
    if isinstance(source, Mapping):
        own = {"name": "recipe", **source}
        layers = [Layer(own, {}, str(own["name"]))]
        folder = Path()
    else:
        path = find_recipe(source)
        layers, folder = [read_layer(path)], path.parent
    seen: list[Path] = []
    while "extends" in layers[0].data:
        name = layers[0].data.pop("extends")
        if not isinstance(name, str):
            raise InrvidError(f"{layers[0].origin(('extends',))}  extends: expected the name or path of one recipe")
        path = find_recipe(name, folder, layers[0].origin(("extends",)))
        if path.resolve() in seen:
            raise InrvidError(f"{layers[0].origin(('extends',))}  extends: {name} extends itself")
        seen.append(path.resolve())
        layers.insert(0, read_layer(path))
        for key in About.model_fields:  # of that experiment: one that extends it is another
            layers[0].data.pop(key, None)
        folder = path.parent
    return layers


def _requires(recipe: Recipe) -> tuple[str, ...]:
    """The packages of its parts that are not the library's own."""
    entries = {registry(kind).entry(part.type) for kind, part in parts_in(recipe)}
    return tuple(sorted({f"{entry.package}=={entry.version}" for entry in entries if entry.is_plugin}))


def _missing_packages(layers: Iterable[Layer]) -> Iterator[str]:
    written = [layer.data.get("requires") for layer in layers]
    texts = [text for texts in written if isinstance(texts, list) for text in texts if isinstance(text, str)]
    for wrong in missing(texts).values():
        yield f"the recipe requires {wrong}"


def _silent(note: str) -> None:
    pass


def _located(path: KeyPath, message: str, merged: Layer) -> str:
    return f"{merged.origin(path)}  {dotted(path)}: {message}".lstrip()
