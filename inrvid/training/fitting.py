"""Filling in, before training, what a recipe leaves to the data."""

from __future__ import annotations

from typing import Any

from ..data.base import VideoDataset
from ..errors import InrvidError
from ..recipe.schema import Recipe


def fit_to_data(recipe: Recipe, dataset: VideoDataset) -> Recipe:
    """The recipe completed with what it leaves to the data: the number of classes, the frame rate.

    Raises:
        InrvidError: the recipe's number of classes is not the data's.
    """
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
