"""Registering operations as torch custom ops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .dispatch import pick

Function = Callable[..., Any]


def register(
    name: str, schema: str, definition: Function, cpu: Function | None, fake: Function, *, mutates: Sequence[str] = ()
) -> Any:
    """`torch.ops.inrvid.<name>`, run by whichever implementation suits its first tensor.

    Args:
        definition, cpu: implementations; see `dispatch.pick` for the Triton one.
        fake: shapes and types of the results, for compilation.
    """

    def run(*arguments: Any) -> Any:
        first = next(x for x in arguments if isinstance(x, Tensor))
        return pick(name, first, definition, cpu)(*arguments)

    op = torch.library.custom_op(f"inrvid::{name}", run, mutates_args=tuple(mutates), schema=schema)
    op.register_fake(fake)
    return op
