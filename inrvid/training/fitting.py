"""What a recipe leaves to the data, filled in before training."""

from __future__ import annotations

from typing import Any

from ..data.base import VideoDataset
from ..errors import InrvidError
from ..recipe.schema import Recipe
from ..registry import registry


def fit_to_data(recipe: Recipe, dataset: VideoDataset) -> Recipe:
    """The recipe with what it leaves to the data: the number of classes, the frame rate.

    Raises:
        InrvidError: the recipe's number of classes is not the data's; or the score to keep checkpoints by is not
            measured.
    """
    best, measured = recipe.train.keep_best, [registry("metrics").build(part).name for part in recipe.eval.metrics]
    if best is not None and best.split("/")[0] not in measured:
        raise InrvidError(
            f"train.keep_best: '{best}' is not measured: eval.metrics has {', '.join(measured) or 'nothing'}; expected "
            "metric/part, such as statistics/spatial"
        )
    generator, discriminator = recipe.generator, recipe.discriminator
    classes = len(dataset.classes)
    if generator.label_dim not in (0, classes):
        raise InrvidError(
            f"generator.label_dim: is {generator.label_dim}, but the data has {classes} classes: "
            f"--set generator.label_dim={classes}"
        )
    update: dict[str, Any] = {"label_dim": classes}
    discriminator = discriminator.model_copy(update=update)
    if "fps" not in generator.model_fields_set:
        update["fps"] = dataset.fps
    return recipe.model_copy(update={"generator": generator.model_copy(update=update), "discriminator": discriminator})
