"""Registering operations: torch custom ops, and the short way past them.

A custom op is what compilation, tracing and transformations see. Called eagerly it costs the host a third of a
millisecond (half of one on the way back), as much as a launch's work on a fast GPU; so eager calls run the
implementation itself, within an autograd function where a gradient is recorded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from .dispatch import Capability, pick

Function = Callable[..., Any]


class Operation:
    """An operation with several implementations, called as a function of tensors."""

    def __init__(self, name: str, definition: Function, cpu: Function | None, half_from: Capability):
        self.name, self.definition, self.cpu, self.half_from = name, definition, cpu, half_from
        self.op: Any = None
        self.recorded: Any = None
        """The operation as an autograd function; none if it has no gradients."""

    def __call__(self, *arguments: Any) -> Any:
        if _written_out:
            return self.definition(*arguments)
        if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
            return self.op(*arguments)
        tensors = [x for x in arguments if isinstance(x, Tensor)]
        if not all(type(x) in (Tensor, torch.nn.Parameter) for x in tensors):  # one that stands for another, in a trace
            return self.op(*arguments)
        if self.recorded is not None and torch.is_grad_enabled() and any(x.requires_grad for x in tensors):
            return self.recorded.apply(*arguments)
        return self.run(*arguments)

    def run(self, *arguments: Any) -> Any:
        first = next(x for x in arguments if isinstance(x, Tensor))
        return pick(self.name, first, self.definition, self.cpu, self.half_from)(*arguments)


_written_out = False


@contextlib.contextmanager
def written_out() -> Iterator[None]:
    """Inside, each operation is its definition *to autograd too*, which keeps what it needs of every step; a forced
    path (`dispatch.using`) changes only what runs inside the operation."""
    global _written_out
    before, _written_out = _written_out, True
    try:
        yield
    finally:
        _written_out = before


OPERATIONS: dict[str, Operation] = {}
"""All that are registered, by name."""


def shape_of(x: Tensor | None) -> Tensor | None:
    """A stand-in of x's shape without its memory, to save for a backward pass that needs no more of it."""
    return None if x is None else x.new_empty(()).expand(x.shape)


def register(
    name: str,
    schema: str,
    definition: Function,
    cpu: Function | None,
    fake: Function,
    *,
    backward: Function | None = None,
    setup: Function | None = None,
    half_from: Capability = (0, 0),
) -> Operation:
    """`torch.ops.inrvid.<name>`, run by whichever implementation suits its first tensor.

    Args:
        definition, cpu: implementations; see `dispatch.pick` for the Triton one.
        fake: shapes and types of the results, for compilation.
        backward, setup: as for `register_autograd`; none for an operation that has no gradients of its own.
        half_from: the oldest chip whose tensor cores the Triton implementation multiplies half precision with; on
            older ones its values do not fit the registers, and the definition runs.
    """
    operation = Operation(name, definition, cpu, half_from)
    op = torch.library.custom_op(
        f"inrvid::{name}", lambda *arguments: _in_order(operation.run(*arguments)), mutates_args=(), schema=schema
    )
    op.register_fake(lambda *arguments: _in_order(fake(*arguments)))
    if backward is not None and setup is not None:
        op.register_autograd(backward, setup_context=setup)
        operation.recorded = _autograd_function(operation, backward, setup)
    operation.op = getattr(torch.ops.inrvid, name)
    OPERATIONS[name] = operation
    return operation


def _autograd_function(operation: Operation, backward: Function, setup: Function) -> Any:
    def forward(ctx: Any, *arguments: Any) -> Any:
        output = _in_order(operation.run(*arguments))
        setup(ctx, arguments, output)
        return output

    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type(operation.name, (torch.autograd.Function,), body)


def _in_order(result: Any) -> Any:
    """Contiguous, or channels-last maps: strides that compiled code can rely on, whatever those of the inputs were."""
    if isinstance(result, Tensor):
        return result.contiguous(memory_format=torch.channels_last if result.ndim == 4 else torch.contiguous_format)
    return tuple(map(_in_order, result))
