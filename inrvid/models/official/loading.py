"""A stored network → inrvid's, with the weights of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...errors import InrvidError
from ...weights import WeightsError
from ..build import shapes
from ..files import BUILD, Network
from ..machine import damage
from ..snapshots.networks import Stored
from ..snapshots.storage import Numbers, tensor_of
from .describing import Choices, Described, described
from .layout import Part, renamed


def network_of(
    kind: str, stored: Stored, part: Part, choices: Choices, stated: Mapping[str, Any]
) -> tuple[Network, Described]:
    """The network, in evaluation mode, and how it was described.

    Nothing is allocated before names and shapes of the weights are known to be the network's.

    Args:
        kind: generators or discriminators.
        stated: the release's configuration, if the file has it as such.

    Raises:
        WeightsError: weights or settings that are not this network's, or a weight that is not finite.
    """
    try:
        with damage("a network of this release"):
            said = described(stored, part, choices, stated)
            return _built(kind, stored, part, said), said
    except WeightsError as error:
        raise WeightsError(f"{stored.name}: {error}") from None


def _built(kind: str, stored: Stored, part: Part, said: Described) -> Network:
    try:
        config = part.config(said.config)
        expected = shapes(kind, config) or {}
        weights = {name: Weight(value) for name, value in renamed(stored.weights, part).items()}
        _compare({name: tuple(value.shape) for name, value in expected.items() if name not in part.fixed}, weights)
        network = BUILD[kind](config)
    except KeyError as error:
        raise WeightsError(f"its configuration lacks {error}") from None
    except InrvidError as error:
        raise WeightsError(
            f"its configuration is none that a component takes: {' '.join(str(error).split())}"
        ) from None
    with torch.no_grad():
        for name, target in network.state_dict().items():
            target.copy_(part.fixed[name] if name in part.fixed else weights[name].as_shape(name, target.shape))
    network.eval()
    return network


class Weight:
    """A weight of the file, in the shape that inrvid has for it."""

    def __init__(self, value: Numbers | Tensor):
        self.value = value
        self.shape = tuple(value.shape)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """A release's pointwise convolution, [out, in, 1, 1], is a matrix here; its constant has a batch axis of 1."""
        return self.shape in (shape, (*shape, 1, 1), (1, *shape))

    def as_shape(self, name: str, shape: tuple[int, ...]) -> Tensor:
        value = tensor_of(self.value)
        if not value.is_floating_point() or not bool(value.float().isfinite().all()):
            raise WeightsError(f"its weight {name} is not of finite floating-point numbers")
        return value.view(shape)


def _compare(expected: Mapping[str, tuple[int, ...]], weights: Mapping[str, Weight]) -> None:
    for name in sorted({*expected} | {*weights}):
        if name not in expected:
            raise WeightsError(f"its weight {name} is none of the layout's")
        if name not in weights:
            raise WeightsError(f"it lacks the weight {name}")
        if not weights[name].fits(expected[name]):
            theirs, ours = list(weights[name].shape), list(expected[name])
            raise WeightsError(f"its weight {name} is {theirs}, where its configuration makes it {ours}")
