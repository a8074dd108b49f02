from __future__ import annotations

import pytest
import torch
from torch import Tensor, func
from torch._subclasses import FakeTensorMode
from torch.autograd import forward_ad

from inrvid.kernels.operation import OPERATIONS, operations, written_out

from .cases import CASES
from .comparing import (
    BACKENDS,
    assert_near,
    exactly,
    first_order,
    on_backend,
    second_order,
    skip_broken_interpreter,
    strided,
)

DIFFERENTIABLE = [case for case in CASES if not case.op.endswith("_backward") and case.op != "normal"]
CONSTANT = [case for case in CASES if case not in DIFFERENTIABLE]
FIRST = list({case.op: case for case in reversed(CASES)}.values())


def operation(case):
    return getattr(torch.ops.inrvid, case.op)


def test_every_operation_has_cases():
    assert set(operations()) == {case.op for case in CASES}
    registered = {name for name in torch._C._dispatch_get_all_op_names() if name.startswith("inrvid::")}
    assert registered == {f"inrvid::{case.op}" for case in CASES}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_values_and_gradients(case, backend):
    arguments = case.arguments(torch.float32)
    found = on_backend(backend, lambda *x: first_order(operation(case), *x), arguments)
    assert_near(found, first_order(case.definition, *exactly(arguments)), 1e-5)
    assert all(x.dtype == torch.float32 for x in found)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_gradients_of_gradients(case, backend):
    arguments = case.arguments(torch.float32)
    found = on_backend(backend, lambda *x: second_order(operation(case), *x), arguments)
    assert_near(found, second_order(case.definition, *exactly(arguments)), 1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CONSTANT, ids=str)
def test_what_has_no_gradient(case, backend):
    """Also where no gradient of a forward operation calls them so."""
    arguments = case.arguments(torch.float32)
    found, expected = on_backend(backend, operation(case), arguments), case.definition(*exactly(arguments))
    assert_near(*([x] if isinstance(x, Tensor) else x for x in (found, expected)), 1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_any_strides(case, backend):
    """Of the inputs, and of the incoming gradient: that of a sum is one number, expanded."""

    def run(function, *arguments):
        arguments = [x.requires_grad_() if isinstance(x, Tensor) else x for x in arguments]
        leaves = [x for x in arguments if isinstance(x, Tensor)]
        y = function(*arguments)
        turned = y.transpose(0, -1).reshape(-1)
        ramp = torch.arange(len(turned), device=y.device) % 7
        losses = y.sum(), (turned * ramp).sum()
        return [y, *(g for loss in losses for g in torch.autograd.grad(loss, leaves, retain_graph=True))]

    arguments = case.arguments(torch.float32)
    found = on_backend(backend, lambda *x: run(operation(case), *x), [strided(x) for x in arguments])
    assert_near(found, run(case.definition, *exactly(arguments)), 1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", [case for case in FIRST if case in DIFFERENTIABLE], ids=str)
def test_half_precision(case, backend, dtype):
    """Values: a few roundings of eps/2. Gradients: where a rounding takes y across 0 or onto the bound, its gradient
    is another; that happens to a share of about eps of the points, whose part in L2 is the root of it.
    """
    skip_broken_interpreter(backend, case.op, dtype)
    arguments = case.arguments(dtype)
    value, *gradients = on_backend(backend, lambda *x: first_order(operation(case), *x), arguments)
    exact, *expected = first_order(case.definition, *exactly(arguments))
    eps = torch.finfo(dtype).eps
    assert_near([value], [exact], 2 * eps)
    assert_near(gradients, expected, 2 * eps**0.5)
    assert all(g.dtype == x.dtype for g, x in zip(gradients, filter(torch.is_tensor, arguments), strict=True))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", [case for case in FIRST if case in DIFFERENTIABLE], ids=str)
def test_the_short_way_is_the_op_s(case, backend):
    """An eager call runs past the torch op: with the same values, gradients, and gradients of gradients."""
    arguments = case.arguments(torch.float32)
    for order in (first_order, second_order):
        short, op = (
            on_backend(backend, lambda *x, f=f, order=order: order(f, *x), arguments)
            for f in (OPERATIONS[case.op], operation(case))
        )
        assert all(torch.equal(a, b) for a, b in zip(short, op, strict=True))


@pytest.mark.parametrize("case", FIRST, ids=str)
def test_written_out_it_is_the_definition(case):
    arguments = case.arguments(torch.float32)
    with written_out():
        found = OPERATIONS[case.op](*arguments)
    for a, b in zip(*([x] if isinstance(x, Tensor) else x for x in (found, case.definition(*arguments))), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("case", FIRST, ids=str)
def test_registration(case):
    """Schema, fake implementation, autograd and compilation agree with what runs."""
    arguments = [
        x.requires_grad_() if isinstance(x, Tensor) and case in DIFFERENTIABLE else x
        for x in case.arguments(torch.float32)
    ]
    torch.library.opcheck(operation(case).default, arguments)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_shapes_are_told_beforehand(case, backend):
    """The fake implementation's shapes, strides and types are those of every backend, whatever strides come in."""
    for change in (lambda x: x, strided):
        arguments = [change(x) for x in case.arguments(torch.float32)]
        found = on_backend(backend, operation(case), arguments)
        with FakeTensorMode() as mode:
            fake = operation(case)(*(mode.from_tensor(x) if isinstance(x, Tensor) else x for x in arguments))
        for real, told in zip(*([x] if isinstance(x, Tensor) else x for x in (found, fake)), strict=True):
            assert (real.shape, real.dtype) == (told.shape, told.dtype)
            assert steps(real) == steps(told)


def steps(x: Tensor) -> list[int]:
    """The strides that say something."""
    return [stride for stride, n in zip(x.stride(), x.shape, strict=True) if n > 1 and x.numel()]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", [case for case in FIRST if case in DIFFERENTIABLE], ids=str)
def test_functional_and_forward_derivatives(case, backend):
    """`torch.func`'s, and a tangent: those of the definition, whatever runs elsewhere."""
    arguments = case.arguments(torch.float32)
    place = next(number for number, x in enumerate(arguments) if isinstance(x, Tensor))
    first, tangent = arguments[place], torch.ones_like(arguments[place])

    def summed(function):
        return lambda x: function(*arguments[:place], x, *arguments[place + 1 :]).square().sum()

    own, exact = summed(OPERATIONS[case.op]), summed(case.definition)

    def dual(function):
        with forward_ad.dual_level():
            return forward_ad.unpack_dual(function(forward_ad.make_dual(first, tangent))).tangent

    for derivative in (lambda f: func.grad(f)(first), lambda f: func.jvp(f, (first,), (tangent,))[1], dual):
        found = on_backend(backend, lambda *x, d=derivative: d(own), ())
        torch.testing.assert_close(found, derivative(exact))
