"""PyTorch's numbers, left where they are in a file. Tensors are made of them on demand, one at a time.

A file of half a gigabyte is in memory only once: a storage is a view of it, and a tensor not asked for costs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...weights import WeightsError

TYPES = {
    "Float": torch.float32, "Double": torch.float64, "Half": torch.float16, "BFloat16": torch.bfloat16,
    "Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8,
    "Bool": torch.bool, "Untyped": torch.uint8,
}  # fmt: skip
"""By the names of storages: `torch.FloatStorage`."""

DIMENSIONS, MOST = 8, 2**48
"""Dimensions of a tensor, and numbers in it, at most."""


@dataclass
class Storage:
    """Numbers in a row: a view of the file, once it is known where in it they are."""

    dtype: torch.dtype
    count: int
    data: memoryview | None = None

    def fill(self, data: memoryview) -> None:
        """Raises WeightsError if there are not as many bytes as the numbers take."""
        if len(data) != self.count * self.dtype.itemsize:
            raise WeightsError(f"damaged: {len(data)} bytes where there should be {self.count} numbers of {self.dtype}")
        self.data = data


@dataclass(frozen=True)
class Numbers:
    """A tensor of the file. Raises ValueError, when it is made, if it is not within its storage."""

    storage: Storage = field(repr=False)
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def __post_init__(self) -> None:
        sizes = (self.offset, *self.shape, *self.stride)
        if not isinstance(self.storage, Storage) or any(type(n) is not int or not 0 <= n < MOST for n in sizes):
            raise ValueError("a tensor without a storage, or whose shape is no sizes")
        if len(self.shape) != len(self.stride) or len(self.shape) > DIMENSIONS:
            raise ValueError(f"a tensor of {len(self.shape)} dimensions and {len(self.stride)} strides")
        if self.nbytes and self._end > self.storage.count:
            raise ValueError("a tensor that is larger than its storage")

    @property
    def dtype(self) -> torch.dtype:
        return self.storage.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor, which may be more than its storage has if strides are 0."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def _end(self) -> int:
        return self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.stride, strict=True)) + 1

    def tensor(self) -> Tensor:
        """A copy, with its own memory."""
        if not self.nbytes:
            return torch.empty(self.shape, dtype=self.dtype)
        if self.storage.data is None:
            raise WeightsError("damaged: it has no numbers for one of its tensors")
        size = self.dtype.itemsize
        raw = self.storage.data[self.offset * size : self._end * size]
        flat = torch.empty(len(raw), dtype=torch.uint8)  # a view of the file need not be aligned as numbers must be
        flat.numpy()[:] = np.frombuffer(raw, np.uint8)
        return flat.view(self.dtype).as_strided(self.shape, self.stride).contiguous()


def storage_type(name: str) -> torch.dtype:
    """The dtype of `torch.FloatStorage` and its kin. Raises ValueError if there is no such storage."""
    kind = name.removeprefix("torch.").removeprefix("storage.").removesuffix("Storage")
    if kind not in TYPES:
        raise ValueError(f"no storage of tensors: {name[:80]}")
    return TYPES[kind]


def rebuilt(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> Numbers:
    """Takes the place of `torch._utils._rebuild_tensor_v2`; further arguments (gradients, hooks) are left out."""
    return Numbers(storage, offset, tuple(shape), tuple(stride))


def tensor_of(value: Numbers | Tensor) -> Tensor:
    """A weight of a file, whatever kind of file it is."""
    return value.tensor() if isinstance(value, Numbers) else value
