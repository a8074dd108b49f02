"""Checks of a coordinate encoding: its phases on any grid, and in each of the library's generators that take one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..coords.base import CoordinateEncoding
from ..generators.base import VideoGenerator
from ..grid import Grid
from ..models.build import build_generator
from ..registry import registry
from .checks import ROUNDED, case, near, shaped
from .sizes import built_in, small
from .training import TrainedChecks
from .videos import check_gradients, check_randomness, check_state

DIM, W_DIM, SIDE = 5, 4, 16


class KindChecks(TrainedChecks):
    """Checks of a coordinate encoding."""

    def recipe_parts(self) -> dict[str, Any]:
        return {"generator.coords": self.config()}

    def alone(self) -> CoordinateEncoding:
        return self.build(dim=DIM, w_dim=W_DIM, size=SIDE)

    def in_each(self, check: Callable[[VideoGenerator], None]) -> None:
        """Check the library's generators that take coordinates; failures are reported with the generator."""
        for name in built_in("generators"):
            if "coords" in registry("generators").config_class(name).model_fields:
                with case(f"in {name}"):
                    check(build_generator(small("generators", name, coords=self.config())))

    @torch.no_grad()
    def test_phases_on_any_grid(self) -> None:
        """A region's points have the phases that the whole plane has there."""
        coords = self.alone()
        predicted = coords.predict(torch.randn(2, W_DIM, generator=torch.Generator().manual_seed(0)))
        whole = coords.phase(predicted, Grid(SIDE, SIDE))
        shaped(whole, (whole.shape[0], SIDE, SIDE, DIM), "phases")
        corner = coords.phase(predicted, Grid(8, 4, (0.25, 0.0, 0.5, 0.5)))
        near(corner, whole[:, :8, 4:8], "phases of a region and of the whole plane there", **ROUNDED)

    def test_every_parameter_gets_a_gradient(self) -> None:
        """In each generator that takes coordinates."""
        self.in_each(check_gradients)

    @torch.no_grad()
    def test_weights_are_its_whole_state(self) -> None:
        """With the same weights, also saved and loaded, it gives the same."""
        self.in_each(check_state)

    def test_randomness_is_its_own(self) -> None:
        """The global random states influence nothing, and stay as they are."""
        self.in_each(check_randomness)
