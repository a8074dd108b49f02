"""Where half precision, or single precision, is not enough."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def at_least_float32(x: Tensor) -> Tensor:
    """float16 and bfloat16 become float32; float32 and float64 stay."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def in_float64(module: nn.Module, *args: Any) -> Any:
    """`module(*args)` with its parameters and buffers as float64; the module itself is not changed."""
    tensors = {name: value.double() for name, value in [*module.named_parameters(), *module.named_buffers()]}
    return torch.func.functional_call(module, tensors, args)
