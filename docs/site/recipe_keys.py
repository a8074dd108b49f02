"""The page of a recipe's keys: those of its sections that are the same whatever parts it names, from the schema."""

from __future__ import annotations

from typing import NamedTuple

from components import KINDS, table
from pydantic import BaseModel

from inrvid.data.base import VideoDataset
from inrvid.recipe.paper import PaperConfig
from inrvid.recipe.schema import EvalConfig, HubConfig, OptimConfig, OptimizerConfig, Recipe, TrainConfig


class Section(NamedTuple):
    config: type[BaseModel]
    what: str


SECTIONS = {
    "data": Section(VideoDataset.Config, "Of every data set; each type [has more](components/datasets.md)."),
    "optim": Section(
        OptimizerConfig,
        "Of `optim.generator` and of `optim.discriminator`, each an Adam. A recipe that says nothing of the "
        f"generator's has {OptimConfig().generator.lazy_interval} as its `lazy_interval`.",
    ),
    "train": Section(TrainConfig, "Lengths are in thousands of real clips shown to the discriminator."),
    "eval": Section(EvalConfig, "Scores, in the course of a training and at its end."),
    "hub": Section(HubConfig, "Publishing at the end, and what the card says."),
    "paper": Section(PaperConfig, "What was published of the experiment; nothing depends on it."),
}
PARTS = ("generator", "discriminator", "time_sampler", "augment", "loss")


def pages() -> dict[str, str]:
    """Markdown by place in docs/."""
    return {"recipe_keys.md": "\n".join([_introduction(), *(_section(name) for name in SECTIONS)])}


def _introduction() -> str:
    of_parts = ", ".join(
        f"[`{about.place}`](components/{kind}.md)" for kind, about in KINDS.items() if about.place in PARTS
    )
    return f"""# Recipe keys

Every key of [a recipe](recipes.md) outside of its parts, with its range and default. Those of the parts are on their
own pages: {of_parts}. Above them may stand `extends`: a name or path of a recipe that this one changes. All keys of a
recipe together, with the values that they have there: `inrvid recipe show NAME`.

## At the top {{ #top }}

{chr(10).join(table(Recipe, without={*SECTIONS, *PARTS}))}
"""


def _section(name: str) -> str:
    config, what = SECTIONS[name]
    return f"## {name} {{ #{name} }}\n\n{what}\n\n" + "\n".join(table(config)) + "\n"
