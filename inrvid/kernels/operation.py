"""Operations and their implementations: how they are registered, and how a call finds its way.

An operation is registered as a torch custom op, `torch.ops.inrvid.<name>`, because compilation and tracing understand
one. A custom op is slow to call: 0.3 ms of the host's time forward and 0.5 ms backward, as long as a fast GPU works on
one launch. An eager call therefore bypasses it. It runs the implementation directly, or within an autograd function
where a gradient is recorded. Within `torch.func`'s transformations and forward-mode differentiation, which custom ops
do not support, operations are their definitions.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ..errors import InrvidError, did_you_mean
from .dispatch import Capability, Function, Implementation, add, pick
from .plugins import load_plugins

Target = TypeVar("Target", bound=Function | str)


class Operation:
    """A function of tensors (and numbers) with several implementations."""

    def __init__(self, name: str, definition: Function):
        self.name, self.definition = name, definition
        self.op: Any = None
        """The torch custom op."""
        self.recorded: Any = None
        """The operation as an autograd function; None if it has no gradients."""

    def __call__(self, *arguments: Any) -> Any:
        if _written_out:
            return self.definition(*arguments)
        if torch.compiler.is_compiling():
            return self.op(*arguments)
        if torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0:
            return self.definition(*arguments)  # which has derivatives of every kind
        tensors = [x for x in arguments if isinstance(x, Tensor)]
        if not all(type(x) in (Tensor, torch.nn.Parameter) for x in tensors):  # a stand-in, in a trace
            return self.op(*arguments)
        if self.recorded is not None and torch.is_grad_enabled() and any(x.requires_grad for x in tensors):
            return self.recorded.apply(*arguments)
        return self.run(*arguments)

    def in_backward(self, *arguments: Any) -> Any:
        """For another operation's backward pass: the definition where its gradients are wanted (`create_graph`)."""
        return self.definition(*arguments) if torch.is_grad_enabled() else self(*arguments)

    def run(self, *arguments: Any) -> Any:
        """The result of the implementation that suits the first tensor; autograd may not differentiate it."""
        first = next(x for x in arguments if isinstance(x, Tensor))
        return pick(self.name, first, self.definition)(*arguments)


_written_out = False


@contextlib.contextmanager
def written_out() -> Iterator[None]:
    """Within this context, each operation is its definition *to autograd too*, which keeps what it needs of every step.

    `dispatch.use_backend("definition")` changes only what runs inside the operation.
    """
    global _written_out
    before, _written_out = _written_out, True
    try:
        yield
    finally:
        _written_out = before


OPERATIONS: dict[str, Operation] = {}
"""Those registered so far, by name. `operations()` has all."""


def operations() -> dict[str, Operation]:
    """All operations by name: the library's, and those of other packages."""
    _import_own()
    load_plugins()
    return OPERATIONS


def _import_own() -> None:
    """Every package in this one is an operation."""
    assert __package__
    for module in pkgutil.iter_modules(importlib.import_module(__package__).__path__):
        if module.ispkg:
            importlib.import_module(f"{__package__}.{module.name}")


def shape_of(x: Tensor | None) -> Tensor | None:
    """A tensor of x's shape that holds no memory, to save for a backward pass that needs only the shape."""
    return None if x is None else x.new_empty(()).expand(x.shape)


def register(
    name: str,
    schema: str,
    definition: Function,
    fake: Function,
    *,
    backward: Function | None = None,
    setup: Function | None = None,
) -> Operation:
    """Make `torch.ops.inrvid.<name>`, run by whichever implementation suits its first tensor.

    Args:
        schema: types of its arguments and results, as `torch.library.custom_op` takes them.
        definition: what it computes, in PyTorch, for any device; differentiable as often as one likes.
        fake: tensors of the results' shapes and types, from the same arguments; compilation asks for them.
        backward, setup: as `torch.library.register_autograd` takes them; None for an operation without gradients.

    Raises:
        InrvidError: the name is taken.
    """
    if name in OPERATIONS:
        raise InrvidError(f"the operation '{name}' is registered twice")
    operation = Operation(name, definition)
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


def implement(
    operation: str,
    *,
    device: str,
    capability: Capability = (0, 0),
    dtypes: Iterable[torch.dtype] | None = None,
    requires: str = "",
) -> Callable[[Target], Target]:
    """Register what is decorated as an implementation of the operation of that name.

    It is a function of the operation's arguments, in their order, to its results; their strides may be any. A string
    `module:function` serves as well, and is imported when it runs for the first time.

    Args:
        device: as in `tensor.device.type`: cpu, cuda, ...
        capability: (major, minor) of the oldest CUDA chip that it runs on. Of the implementations that a chip can run,
            the one with the highest capability does; of several, the one that was registered last.
        dtypes: of the operation's first tensor; None: any. float64 on CUDA always runs the definition.
        requires: a module that must be installed, such as triton.

    Raises:
        InrvidError: no such operation, or another package implements it for the same device, capability and types.
    """
    if operation not in OPERATIONS:
        _import_own()
    if operation not in OPERATIONS:
        raise InrvidError(
            f"no operation named '{operation}'.{did_you_mean(operation, OPERATIONS)}\n"
            f"  available: {', '.join(sorted(OPERATIONS))}"
        )
    types = None if dtypes is None else frozenset(dtypes)

    def registered(target: Target) -> Target:
        add(operation, Implementation(target, device, capability, types, requires))
        return target

    return registered


def _autograd_function(operation: Operation, backward: Function, setup: Function) -> Any:
    def forward(ctx: Any, *arguments: Any) -> Any:
        output = _in_order(operation.run(*arguments))
        setup(ctx, arguments, output)
        return output

    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type(operation.name, (torch.autograd.Function,), body)


def _in_order(result: Any) -> Any:
    """The result in contiguous memory, maps `[N, C, H, W]` in channels-last: compiled code relies on fixed strides."""
    if isinstance(result, Tensor):
        return result.contiguous(memory_format=torch.channels_last if result.ndim == 4 else torch.contiguous_format)
    return tuple(map(_in_order, result))
