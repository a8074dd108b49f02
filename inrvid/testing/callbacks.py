"""Checks of a callback: a run with it is the run without it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from .checks import require
from .training import TrainedChecks, small_recipe, train


class KindChecks(TrainedChecks):
    """Checks of a callback."""

    def recipe_parts(self) -> dict[str, Any]:
        return {"train.callbacks": [self.config()]}

    def test_changes_no_network(self) -> None:
        """With and without it, the weights are the same after the same number of steps."""
        ends = []
        with tempfile.TemporaryDirectory() as place:
            for number, parts in enumerate((self.recipe_parts(), {})):
                trainer = train(Path(place) / str(number), small_recipe(parts))
                networks = (trainer.training.G, trainer.training.D, trainer.training.ema.module)
                ends.append((trainer.step, [p.detach() for network in networks for p in network.parameters()]))
        (steps, with_it), (all_steps, without) = ends
        if steps == all_steps:  # it may have ended the run early
            same = all(map(torch.equal, with_it, without))
            require(
                same, "a run with it ends in other weights: a callback changes no network, nor global random states"
            )
