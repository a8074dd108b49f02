"""Checks of a loss: its phases, and that both networks learn by it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from ..losses.base import Phase
from .checks import case, require
from .randomness import seeded
from .sizes import built_in
from .sizes import small as small_part
from .training import ParallelChecks, check_moved, small_recipe, train


class KindChecks(ParallelChecks):
    """Checks of a loss."""

    def recipe_parts(self) -> dict[str, Any]:
        return {"loss": self.config()}

    def test_phases(self) -> None:
        """They have different names. `Phase` itself refuses unknown networks and clips, and wrong intervals."""
        phases: list[Phase] = list(self.build().phases())
        require(bool(phases), "it has no phases")
        names = [phase.name for phase in phases]
        require(len(set(names)) == len(names), f"two phases of one name: {', '.join(names)}")

    def test_trains_every_pair_of_networks(self) -> None:
        """Two steps of each of the library's generators with each discriminator, in micro-batches; for a loss that
        works only with certain parts (`test_parts`), with these."""
        if hasattr(self.parts.component(self.name), "test_parts"):
            with tempfile.TemporaryDirectory() as place:
                check_moved(train(Path(place) / "run", self.recipe(), "train.micro_batch=2"))
            return
        for generator in built_in("generators"):
            for discriminator in built_in("discriminators"):
                pair = {
                    "generator": small_part("generators", generator),
                    "discriminator": small_part("discriminators", discriminator),
                }
                with case(f"{generator} and {discriminator}"), tempfile.TemporaryDirectory() as place:
                    recipe = small_recipe({**self.recipe_parts(), **pair})
                    check_moved(train(Path(place) / "run", recipe, "train.micro_batch=2"))

    def test_randomness_is_its_own(self) -> None:
        """Two trainings under different global seeds end in the same weights."""
        ends = []
        for seed in (1, 2):
            with tempfile.TemporaryDirectory() as place, seeded(seed):
                training = train(Path(place) / "run", self.recipe()).training
                ends.append([p.detach() for network in (training.G, training.D) for p in network.parameters()])
        same = all(map(torch.equal, *ends))
        require(same, "training with it depends on the global random state: draw from `turn.draws`")
