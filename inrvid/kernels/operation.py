"""Registering operations as torch custom ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .dispatch import pick

Function = Callable[..., Any]


class Operation:
    """An operation with several implementations, called as a function of tensors.

    Where gradients are recorded or a graph is captured, the torch custom op runs; otherwise the implementation
    itself, as the op's own dispatch costs as much as a small matrix product.
    """

    def __init__(self, name: str, op: Any, definition: Function, cpu: Function | None):
        self.name, self.op, self.definition, self.cpu = name, op, definition, cpu

    def __call__(self, *arguments: Any) -> Any:
        if torch.is_grad_enabled() or torch.compiler.is_compiling() or not all(map(_plain, arguments)):
            return self.op(*arguments)
        return self.run(*arguments)

    def run(self, *arguments: Any) -> Any:
        first = next(x for x in arguments if isinstance(x, Tensor))
        return pick(self.name, first, self.definition, self.cpu)(*arguments)


def shape_of(x: Tensor | None) -> Tensor | None:
    """A stand-in of x's shape without its memory, to save for a backward pass that needs no more of it."""
    return None if x is None else x.new_empty(()).expand(x.shape)


def _plain(argument: Any) -> bool:
    """No tensor that stands for another, as those do that a backward pass is traced with."""
    return not isinstance(argument, Tensor) or type(argument) in (Tensor, torch.nn.Parameter)


def register(
    name: str,
    schema: str,
    definition: Function,
    cpu: Function | None,
    fake: Function,
    *,
    backward: Function | None = None,
    setup: Function | None = None,
) -> Operation:
    """`torch.ops.inrvid.<name>`, run by whichever implementation suits its first tensor.

    Args:
        definition, cpu: implementations; see `dispatch.pick` for the Triton one.
        fake: shapes and types of the results, for compilation.
        backward, setup: as for `register_autograd`; none for an operation that has no gradients of its own.
    """
    operation = Operation(name, None, definition, cpu)
    op = torch.library.custom_op(
        f"inrvid::{name}", lambda *arguments: _in_order(operation.run(*arguments)), mutates_args=(), schema=schema
    )
    op.register_fake(lambda *arguments: _in_order(fake(*arguments)))
    if backward is not None:
        op.register_autograd(backward, setup_context=setup)
    operation.op = getattr(torch.ops.inrvid, name)
    return operation


def _in_order(result: Any) -> Any:
    """Contiguous, or channels-last maps: strides that compiled code can rely on, whatever those of the inputs were."""
    if isinstance(result, Tensor):
        return result.contiguous(memory_format=torch.channels_last if result.ndim == 4 else torch.contiguous_format)
    return tuple(map(_in_order, result))
