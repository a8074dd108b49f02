"""Means of the values of steps, kept on the device until they are asked for."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from accelerate import Accelerator
from torch import Tensor


class Stats:
    """Running sums by name. `add` never waits for the device; `means` does, once."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether there is anything to log."""
        return bool(self._sums)

    def add(self, values: Mapping[str, Tensor | float]) -> None:
        """Add scalars (or tensors, of which the mean is taken) of one step."""
        for name, item in values.items():
            value = item.detach().float().mean() if isinstance(item, Tensor) else torch.tensor(item)
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def means(self, accelerator: Accelerator) -> dict[str, float]:
        """Mean of each value since the last call, over all processes; the sums start anew."""
        if not self._sums:
            return {}
        names = sorted(self._sums)
        values = torch.stack([self._sums[name].to(accelerator.device) / self._counts[name] for name in names])
        self._sums, self._counts = {}, {}
        return dict(zip(names, accelerator.reduce(values, "mean").tolist(), strict=True))
