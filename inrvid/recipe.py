"""Recipes: one YAML file an experiment.

How a recipe becomes a `Recipe`:
1. its file and those it `extends` are read (with the line of every key), then `--set` is added: layers;
2. layers are merged, the later over the earlier. Where a layer changes a part's `type`, the inherited keys that
   the new type also has are kept, the others dropped (and reported);
3. what one part needs of another is derived where it is not written, refused where it contradicts (`DERIVED`);
4. everything is validated; an error names file, line, key and the nearest match.

No torch is imported here: a wrong recipe fails at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic.fields import FieldInfo

from .config import PartConfig, PartOf, StrictModel, field_part, inline_refs, validate
from .data.configs import DatasetConfig
from .discriminators.configs import DiscriminatorConfig
from .errors import ConfigError, InrvidError, dotted
from .generators.configs import GeneratorConfig
from .recipe_file import KeyPath, Layer, find_recipe, read_layer, read_overrides
from .registry import registry
from .time_samplers.configs import TimeSamplerConfig

Decay = Annotated[float, Field(ge=0, lt=1)]


class OptimizerConfig(StrictModel):
    """Adam."""

    lr: PositiveFloat = Field(0.0025, description="learning rate")
    betas: Annotated[tuple[Decay, Decay], Field(strict=False)] = Field((0.0, 0.99), description="decay of the moments")
    eps: PositiveFloat = Field(1e-8, description="ε of Adam")
    lazy_interval: NonNegativeInt = Field(
        16, description="k of lazy regularisation: lr and betas become lr·c and betas^c, c = k/(k + 1); 0: as written"
    )


class OptimConfig(StrictModel):
    generator: OptimizerConfig = Field(OptimizerConfig(lazy_interval=4), description="the generator's optimizer")
    discriminator: OptimizerConfig = Field(OptimizerConfig(), description="the discriminator's optimizer")


class TrainConfig(StrictModel):
    """Lengths are in thousands of clips shown to the discriminator; the batch is that of all processes together."""

    kclips: PositiveFloat = Field(25000.0, description="length of the training, thousands of real clips")
    batch_size: PositiveInt = Field(64, description="clips a step, over all processes")
    micro_batch: PositiveInt | None = Field(
        None, description="clips that a process handles at once, gradients accumulating; default: its whole share"
    )
    ema_kclips: NonNegativeFloat = Field(20.0, description="half-life of the generator's moving average")
    ema_rampup: NonNegativeFloat = Field(0.05, description="half-life at most this fraction of the clips seen; 0: none")
    log_kclips: PositiveFloat = Field(0.5, description="interval of lines of metrics.jsonl")
    sample_kclips: PositiveFloat = Field(200.0, description="interval of sample videos")
    sample_videos: PositiveInt = Field(16, description="videos of a sample grid")
    checkpoint_kclips: PositiveFloat = Field(400.0, description="interval of checkpoints")
    keep_last: PositiveInt = Field(2, description="so many of the newest checkpoints are kept")
    keep_kclips: PositiveFloat | None = Field(None, description="and one in each so many thousand clips")
    tensorboard: bool = Field(True, description="write TensorBoard's files beside metrics.jsonl")
    trackers: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="others, through Accelerate: wandb, trackio, ..."
    )
    precision: Literal["fp32", "tf32", "bf16", "fp16"] = Field(
        "fp32",
        description="bf16: all features of both networks; fp16: those of the 4 highest resolutions (StyleGAN-V); "
        "phases, styles, sums of pictures and penalties' sums stay float32",
    )
    compile: bool = Field(
        False, description="torch.compile G and D, but for steps with a gradient penalty, which it would get wrong"
    )
    on_divergence: Literal["warn", "rollback", "stop"] = Field(
        "warn", description="when a loss is no longer finite; rollback: to the last checkpoint, with another draw"
    )


class EvalConfig(StrictModel):
    metrics: Annotated[tuple[Annotated[PartConfig, PartOf("metrics")], ...], Field(strict=False)] = Field(
        (), description="what is measured at the end, and of the untrained generator for comparison"
    )
    clips: PositiveInt = Field(256, description="clips, real and generated")
    data: dict[str, Any] = Field({}, description="keys of `data` that differ for the held-out clips")


class HubConfig(StrictModel):
    repo_id: str | None = Field(None, description="where to publish the model, owner/name")
    private: bool = Field(False, description="create the repository as private")


class Recipe(StrictModel):
    """A resolved recipe: every key has its value."""

    name: str = Field(description="name of the experiment; the run's folder is named after it")
    description: str = Field("", description="what it is, in a sentence")
    seed: NonNegativeInt = Field(0, description="of the weights, the latents, the data: the whole run")
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

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


@dataclasses.dataclass(frozen=True)
class Derived:
    """`target` is `source` where it is not written, and must equal it where it is.

    `if_fixed`: only where the source's component admits one value alone.
    """

    target: tuple[str, str]
    source: tuple[str, str]
    if_fixed: bool = False


DERIVED = [
    Derived(("discriminator", "resolution"), ("generator", "resolution")),
    Derived(("discriminator", "label_dim"), ("generator", "label_dim")),
    Derived(("discriminator", "clip_length"), ("generator", "clip_length")),
    Derived(("time_sampler", "clip_length"), ("generator", "clip_length")),
    Derived(("discriminator", "frames"), ("time_sampler", "frames"), if_fixed=True),
    Derived(("time_sampler", "frames"), ("discriminator", "frames")),
    Derived(("discriminator", "max_frames"), ("time_sampler", "max_frames")),
    Derived(("data", "resolution"), ("generator", "resolution")),
    Derived(("data", "clip_length"), ("generator", "clip_length")),
]


def load_recipe(
    source: str | Path | Mapping[str, Any],
    overrides: Iterable[str] = (),
    *,
    report: Callable[[str], None] = lambda note: None,
) -> Recipe:
    """The recipe that `source` (a path, the name of an installed recipe, or a mapping) and overrides describe.

    Args:
        overrides: `key.path=value`, the value in YAML.
        report: called with a line for each part whose change of type dropped inherited keys, but for those of the
            library's own recipes.

    Raises:
        InrvidError: not found, not YAML, unknown keys or names, wrong values, parts that do not fit; the message
            has one line for each problem, with file and line.
    """
    layers = _layers(source)
    layers.append(read_overrides(overrides))
    merged = Layer({}, {}, "")
    for layer in layers:
        merged = _merge_layer(merged, layer, _silent if layer.installed else report)
    data = merged.data
    data.setdefault("name", layers[-2].name)
    derived, problems = _derive(data)
    try:
        recipe = validate(Recipe, data)
    except ConfigError as error:
        wrong = {path for path, _ in error.problems}
        sources: dict[KeyPath, KeyPath] = {r.target: r.source for r in DERIVED if r.target in derived}
        told = [(path, message) for path, message in error.problems if sources.get(path) not in wrong]
        problems += [(path, message + derived.get(path, "")) for path, message in told]
    problems += _eval_problems(data) if not problems else []
    if problems:
        raise InvalidRecipe("\n".join(_located(path, message, merged) for path, message in problems))
    return recipe


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
        layers = [Layer(dict(source), {}, str(source.get("name", "recipe")))]
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
        if path in seen:
            raise InrvidError(f"{layers[0].origin(('extends',))}  extends: {name} extends itself")
        seen.append(path)
        layers.insert(0, read_layer(path))
        folder = path.parent
    return layers


def _merge_layer(base: Layer, layer: Layer, report: Callable[[str], None]) -> Layer:
    origins = dict(base.origins)
    base = dataclasses.replace(base, data=_without_foreign_eval_keys(base.data, layer.data, report))
    data = _merge(base.data, layer.data, Recipe, (), origins, report)
    return Layer(data, {**origins, **layer.origins}, layer.name or base.name)


def _without_foreign_eval_keys(
    base: Mapping[str, Any], layer: Mapping[str, Any], report: Callable[[str], None]
) -> dict[str, Any]:
    """Inherited keys of `eval.data` are keys of `data`: where its type changes, those that the new type lacks go."""
    old, new = (_written(part, "data", "type") for part in (base, layer))
    inherited = _written(base, "eval", "data")
    if new in (None, old) or not isinstance(inherited, Mapping) or new not in registry("datasets").names():
        return dict(base)
    fields = registry("datasets").config_class(new).model_fields
    dropped = [key for key in inherited if key not in fields]
    if dropped:
        report(f"eval.data: data type {old} → {new}; dropped keys that the new type lacks: {', '.join(dropped)}")
    kept = {key: value for key, value in inherited.items() if key in fields}
    return {**base, "eval": {**base["eval"], "data": kept}}


def _written(data: Mapping[str, Any], section: str, key: str) -> Any:
    part = data.get(section)
    return part.get(key) if isinstance(part, Mapping) else None


def _merge(
    base: Mapping[str, Any],
    layer: Mapping[str, Any],
    model: type[BaseModel] | None,
    path: KeyPath,
    origins: dict[KeyPath, str],
    report: Callable[[str], None],
) -> dict[str, Any]:
    merged = dict(base)
    for key, value in layer.items():
        old = merged.get(key)
        part = field_part(model, key) if model else None
        emptied = value == {} and _annotated_model(model, key) is None and not part
        if emptied or not isinstance(value, Mapping) or not (isinstance(old, Mapping) or part):
            merged[key] = value
            for below in [p for p in origins if p[: len(path) + 1] == (*path, key)]:
                del origins[below]  # what was written there before is gone
            continue
        inner = _annotated_model(model, key)
        old = old if isinstance(old, Mapping) else {}
        if part:
            old, value, inner = _retyped(old, value, model, key, part, (*path, key), report)
        merged[key] = _merge(old, value, inner, (*path, key), origins, report)
    return merged


def _retyped(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    model: type[BaseModel] | None,
    key: str,
    part: PartOf,
    path: KeyPath,
    report: Callable[[str], None],
) -> tuple[Mapping[str, Any], Mapping[str, Any], type[BaseModel] | None]:
    """(inherited keys that stay, new keys, configuration class) of a part that a layer writes to."""
    default = model.model_fields[key].default if model else None
    default_type = default.get("type") if isinstance(default, dict) else None
    old_type = old.get("type", default_type)
    new_type = new.get("type", old_type)
    if not isinstance(new_type, str):
        return old, new, None
    try:
        inner = registry(part.kind).config_class(new_type)
    except ConfigError:
        return old, new, None  # validation reports the unknown name
    if old_type is not None and new_type != old_type:
        kept = {name for name, field in inner.model_fields.items() if not _admits_one_value(field)} - {"type"}
        dropped = [name for name in old if name not in kept | {"type"}]
        if dropped:
            keys = ", ".join(dropped)
            report(f"{dotted(path)}: type {old_type} → {new_type}; dropped keys that the new type lacks: {keys}")
        old = {name: value for name, value in old.items() if name in kept}
    return old, {"type": new_type, **new}, inner


def _annotated_model(model: type[BaseModel] | None, key: str) -> type[BaseModel] | None:
    field = model.model_fields.get(key) if model else None
    annotation = field.annotation if field else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _derive(data: dict[str, Any]) -> tuple[dict[KeyPath, str], list[tuple[KeyPath, str]]]:
    """Fill in `DERIVED` in place. Returns (where each filled-in value comes from, what contradicts)."""
    derived: dict[KeyPath, str] = {}
    problems: list[tuple[KeyPath, str]] = []
    for rule in DERIVED:
        target, key = data.get(rule.target[0]), rule.target[1]
        known, value = _value(data, *rule.source)
        if not isinstance(target, dict) or not known or not _has_field(*rule.target, data):
            continue
        if rule.if_fixed and (key in target or not _is_fixed(*rule.source, data) or _is_fixed(*rule.target, data)):
            continue
        if key not in target:
            target[key] = value
            derived[rule.target] = f" (derived from {dotted(rule.source)})"
        elif target[key] != value and target[key] != [value, value]:
            message = f"is {target[key]}, but {dotted(rule.source)} is {value}: leave this key out, or make them equal"
            problems.append((rule.target, message))
    return derived, problems + _labels(data)


def _eval_problems(data: Mapping[str, Any]) -> list[tuple[KeyPath, str]]:
    """What is wrong with `eval.data` as changes of `data`: found now, not at the end of the training."""
    try:
        registry("datasets").validate({**data["data"], **(_written(data, "eval", "data") or {})})
    except ConfigError as error:
        return [(("eval", "data", *path), message) for path, message in error.problems]
    return []


def _labels(data: dict[str, Any]) -> list[tuple[KeyPath, str]]:
    """A conditional generator needs labels."""
    known, classes = _value(data, "generator", "label_dim")
    videos = data.get("data")
    if not known or not classes or not isinstance(videos, dict):
        return []
    if not videos.setdefault("labels", True):
        return [
            (
                ("data", "labels"),
                f"is false, but generator.label_dim is {classes}: a conditional generator needs labels",
            )
        ]
    return []


_KINDS: dict[str, Literal["generators", "discriminators", "time_samplers", "datasets"]] = {
    "generator": "generators",
    "discriminator": "discriminators",
    "time_sampler": "time_samplers",
    "data": "datasets",
}


def _config_class(section: str, data: Mapping[str, Any]) -> type[PartConfig] | None:
    part = data.get(section)
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        return None
    try:
        return registry(_KINDS[section]).config_class(part["type"])
    except ConfigError:
        return None  # validation reports it


def _has_field(section: str, key: str, data: Mapping[str, Any]) -> bool:
    model = _config_class(section, data)
    return model is not None and key in model.model_fields


def _is_fixed(section: str, key: str, data: Mapping[str, Any]) -> bool:
    """Whether the component admits a single value of the key."""
    model = _config_class(section, data)
    return model is not None and _admits_one_value(model.model_fields[key])


def _admits_one_value(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1


def _silent(note: str) -> None:
    pass


def _value(data: Mapping[str, Any], section: str, key: str) -> tuple[bool, Any]:
    """(known, value) of a key: as written, else its default."""
    model = _config_class(section, data)
    if model is None or key not in model.model_fields:
        return False, None
    return True, data[section].get(key, model.model_fields[key].default)


def _located(path: KeyPath, message: str, merged: Layer) -> str:
    return f"{merged.origin(path)}  {dotted(path)}: {message}".lstrip()
