"""Which parameters of a network learn, and how fast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from torch import nn


class ParameterGroup(NamedTuple):
    """Parameters with a learning rate of their own; those that are frozen (`requires_grad` is off) stay so."""

    parameters: Iterable[nn.Parameter]
    lr_scale: float = 1.0
    """Factor of the recipe's rate (`optim.*.lr`)."""
    betas: tuple[float, float] | None = None
    """Decay of Adam's moments; None: the recipe's (`optim.*.betas`)."""
    eps: float | None = None
    """ε of Adam; None: the recipe's (`optim.*.eps`)."""


def parameter_groups(network: nn.Module) -> Iterator[ParameterGroup]:
    """The groups that the network's own `parameter_groups` yields, or one group of all its parameters."""
    own = getattr(network, "parameter_groups", None)
    yield from own() if own is not None else (ParameterGroup(network.parameters()),)
