"""Random numbers that are functions of what they are for.

Each row of a batch has its own Philox stream (Salmon et al., SC 2011; numpy's implementation), keyed by
(seed, purpose) and positioned by (step, sample): a resumed run, another number of processes or another batch
split draws the same numbers for the same sample. Nothing here reads a global random state.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class SampleKey(NamedTuple):
    """Where a sample's stream of random numbers starts."""

    seed: int
    step: int
    sample: int


class Draws:
    """Random numbers of a batch; row i depends on `keys[i]` and `purpose` alone.

    Successive calls give successive numbers. Values come as float32 (uniform, normal) CPU tensors.
    """

    def __init__(self, keys: Sequence[SampleKey], purpose: str):
        self.keys, self.purpose = list(keys), purpose

    @functools.cached_property
    def _rows(self) -> list[np.random.Generator]:
        """Made at the first draw: callers that use only keys and purpose never need them."""
        word = zlib.crc32(self.purpose.encode())
        return [
            np.random.Generator(
                np.random.Philox(key=_words(key.seed, word), counter=_words(0, 0, key.sample, key.step))
            )
            for key in self.keys
        ]

    @classmethod
    def of_batch(cls, seed: int, purpose: str, step: int, samples: Iterable[int]) -> Draws:
        """The draws of the given global sample indices of one training step."""
        return cls([SampleKey(seed, step, sample) for sample in samples], purpose)

    @classmethod
    def of_seeds(cls, seeds: Iterable[int], purpose: str) -> Draws:
        """One video per seed."""
        return cls([SampleKey(seed, 0, 0) for seed in seeds], purpose)

    def __len__(self) -> int:
        return len(self.keys)

    def uniform(self, *shape: int) -> Tensor:
        """U[0, 1), `[B, *shape]`."""
        return self._stack([row.random(shape, dtype=np.float32) for row in self._rows], shape)

    def normal(self, *shape: int) -> Tensor:
        """N(0, 1), `[B, *shape]`."""
        return self._stack([row.standard_normal(shape, dtype=np.float32) for row in self._rows], shape)

    def integers(self, high: Tensor) -> Tensor:
        """Integers of 0 … high − 1 (`high`: int64 `[B]`), int64 `[B]`."""
        drawn = [int(row.integers(int(n))) for row, n in zip(self._rows, high, strict=True)]
        return torch.tensor(drawn, dtype=torch.int64, device="cpu")

    def _stack(self, rows: list[np.ndarray], shape: tuple[int, ...]) -> Tensor:
        if not rows:
            return torch.empty(0, *shape)
        return torch.from_numpy(np.stack([np.asarray(row) for row in rows]))


def _words(*values: int) -> np.ndarray:
    """As unsigned 64-bit words; negative numbers wrap around."""
    return np.array([value & (2**64 - 1) for value in values], dtype=np.uint64)
