"""Backbones made of blocks, one a resolution: how styles and φ are dealt out to them."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Protocol, TypeVar

from torch import Tensor

Value = TypeVar("Value")


class Block(Protocol):
    """What takes one style a layer, and one more for its ToRGB."""

    @property
    def layers(self) -> Sized: ...

    def modulate(self, ws: Tensor) -> dict[str, Tensor]: ...


def count_ws(blocks: Mapping[str, Block]) -> int:
    """One style a layer; a block's ToRGB takes the next block's first, the last one's a style of its own."""
    return sum(len(block.layers) for block in blocks.values()) + 1


def modulate_blocks(blocks: Mapping[str, Block], ws: Tensor) -> dict[str, Tensor]:
    """φ of all blocks, `<block>.<key>`, from styles ws `[B, num_ws, w_dim]`."""
    phi: dict[str, Tensor] = {}
    first = 0
    for name, block in blocks.items():
        count = len(block.layers)
        own = block.modulate(ws[:, first : first + count + 1])
        phi |= {f"{name}.{key}": value for key, value in own.items()}
        first += count
    return phi


def below(name: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """The values under `<name>.`, by the rest of their names."""
    return {key.removeprefix(f"{name}."): value for key, value in values.items() if key.startswith(f"{name}.")}
