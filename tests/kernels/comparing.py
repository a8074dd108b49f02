"""Comparing the paths of an operation with its definition in float64."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from inrvid.kernels.dispatch import use_backend

needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
BACKENDS = ["definition", "cpu", pytest.param("triton", marks=needs_triton)]


def on_backend(backend: str, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """The result of the function on that backend, on the device where it runs."""
    device = "cuda" if backend == "triton" and torch.cuda.is_available() else "cpu"
    with use_backend(backend):
        return function(*(x.to(device) if isinstance(x, Tensor) else x for x in arguments))


def skip_broken_interpreter(backend: str, op: str, dtype: torch.dtype) -> None:
    interpreted = backend == "triton" and not torch.cuda.is_available()
    if interpreted and dtype == torch.bfloat16 and op in ("pointwise", "inr_layer"):
        pytest.skip("Triton's interpreter multiplies the bits of bfloat16 matrices as integers")


def exactly(arguments: Sequence[Any]) -> list[Any]:
    """The same numbers in float64."""
    return [x.double() if isinstance(x, Tensor) and x.is_floating_point() else x for x in arguments]


def first_order(function: Callable[..., Tensor], *arguments: Any) -> list[Tensor]:
    """The result and the gradients of all tensors, without a graph of the backward pass."""
    leaves, y, direction = _run(function, arguments)
    return [y, *torch.autograd.grad(y, leaves, direction)]


def second_order(function: Callable[..., Tensor], *arguments: Any) -> list[Tensor]:
    """The gradients of all tensors, and those of the sum of their squares (also of the incoming gradient)."""
    leaves, y, direction = _run(function, arguments)
    direction.requires_grad_()
    gradients = torch.autograd.grad(y, leaves, direction, create_graph=True)
    loss = sum(g.square().sum() for g in gradients)
    return [*gradients, *torch.autograd.grad(loss, [*leaves, direction], materialize_grads=True)]


def _run(function: Callable[..., Tensor], arguments: Sequence[Any]) -> tuple[list[Tensor], Tensor, Tensor]:
    given = [x.detach().requires_grad_() if isinstance(x, Tensor) else x for x in arguments]
    y = function(*given)
    direction = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return [x for x in given if isinstance(x, Tensor)], y, direction.to(y.device, y.dtype)


def assert_near(found: Sequence[Tensor], expected: Sequence[Tensor], tolerance: float) -> None:
    """Relative error in L2 of each; of one that vanishes, relative to the largest."""
    largest = max((b.norm() for b in expected), default=0)
    for number, (a, b) in enumerate(zip(found, expected, strict=True)):
        assert a.shape == b.shape, f"result {number}: {tuple(a.shape)} instead of {tuple(b.shape)}"
        error = (a.detach().cpu().double() - b).norm()
        size = b.norm() if b.norm() > 1e-12 * largest else largest
        assert error <= tolerance * size, f"result {number}: {error / size:.1e} off"


def strided(x: Any) -> Any:
    """The same numbers, at every second place in memory, axes in reverse order."""
    if not isinstance(x, Tensor):
        return x
    memory = x.new_zeros(*reversed(x.shape), 2).permute(*reversed(range(x.ndim)), x.ndim)[..., 0]
    return memory.copy_(x)
