"""Backbones made of one block per resolution: how styles and φ are distributed over the blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Protocol, TypeVar

from torch import Tensor

Value = TypeVar("Value")


class Block(Protocol):
    """A block takes one style per layer, and one more for its ToRGB."""

    @property
    def layers(self) -> Sized: ...

    def modulate(self, ws: Tensor) -> dict[str, Tensor]: ...


def count_ws(blocks: Mapping[str, Block]) -> int:
    """One style per layer; a block's ToRGB shares the next block's first style, the last ToRGB has its own."""
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
    """The values whose names begin with `<name>.`, by the rest of their names."""
    return {key.removeprefix(f"{name}."): value for key, value in values.items() if key.startswith(f"{name}.")}
