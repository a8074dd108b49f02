from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

import inrvid.kernels
from benchmarks.ceilings import CEILINGS
from benchmarks.kernels import (
    Numbers,
    all_kernels,
    bias_act_kernels,
    call,
    eager,
    fmm_kernels,
    fraction_of_ceiling,
    inr_layer_kernels,
    measured,
    moved_bytes,
    pointwise_kernels,
    strided_kernels,
    to_rgb_kernels,
    upfirdn_kernels,
)
from benchmarks.plan import Options, planned

CPU = torch.device("cpu")


def registered_ops() -> set[str]:
    """Names given to `register` in the sources of the kernels."""
    found = set()
    for path in Path(inrvid.kernels.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "register":
                first = node.args[0]
                found |= {first.value} if isinstance(first, ast.Constant) else set()
    return found


@pytest.mark.parametrize("quick", [True, False])
def test_every_operation_is_measured(quick):
    assert registered_ops() == {kernel.op for kernel in all_kernels(quick=quick)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kernel", all_kernels(quick=True), ids=lambda kernel: f"{kernel.op} {kernel.size}")
def test_arguments_fit(kernel, dtype):
    """Both paths accept them and agree: a benchmark of nonsense would compare nothing."""
    arguments = kernel.arguments(Numbers(CPU, dtype))
    fast, slow = (run(kernel.op, arguments) for run in (call, eager))
    fast, slow = ((x,) if isinstance(x, torch.Tensor) else x for x in (fast, slow))
    for a, b in zip(fast, slow, strict=True):
        assert a.shape == b.shape
        assert a.isfinite().all()
        error = (a.double() - b.double()).norm() / b.double().norm().clamp_min(1e-30)
        assert error < (1e-3 if dtype == torch.float32 else 0.1)


def moved(kernel, dtype=torch.float32):
    arguments = kernel.arguments(Numbers(CPU, dtype))
    return moved_bytes(arguments, call(kernel.op, arguments))


def test_bytes_by_hand():
    forward, backward = bias_act_kernels(2, 3, 4)
    features, vectors = 2 * 16 * 3, 3 + 2 * 3  # bias and scale
    assert moved(forward) == 4 * (2 * features + vectors)
    assert moved(backward) == 4 * (3 * features + 2 * vectors)  # gradient, y → gradient; and those of bias and scale
    assert moved(forward, torch.bfloat16) == moved(forward) // 2
    up, down, fused = upfirdn_kernels(2, 5, 8)
    assert moved(up) == 4 * 2 * 3 * (16 + 64)
    assert moved(down) == 4 * 2 * 5 * (64 + 16)
    assert moved(fused) == 4 * (2 * 5 * (81 + 64) + 5 + 2 * 5)
    shrink, grow, correlate = strided_kernels(2, 3, 5, 4)
    large, small, weight = 2 * 5 * 81, 2 * 3 * 16, 3 * 5 * 9
    assert moved(shrink) == moved(grow) == moved(correlate) == 4 * (large + small + weight)
    layer, _ = to_rgb_kernels(2, 4, 7)
    pictures = 2 * 16 * 3
    assert moved(layer, torch.bfloat16) == 2 * 2 * 16 * 7 + 4 * (7 * 3 + 3 + pictures // 4 + pictures)
    layer, _ = fmm_kernels(2, 3, 5, rank=2)
    assert moved(layer) == 4 * (15 + 2 * 3 * 2 + 2 * 2 * 5 + 2 * 15)


def test_flop_by_hand():
    forward, backward = pointwise_kernels(2, 4, 8)
    assert forward.flop == 2 * (2 * 16) * 8 * 8
    assert backward.flop == 2 * (2 * 4 * 2 * 16 * 8 * 8)  # of x, and of the weight; 4 videos of 2 frames
    forward, backward = inr_layer_kernels(3, 4, 5, 8)
    assert forward.flop == 2 * (3 * 16) * 10 * 8  # 5 sines and 5 cosines
    assert backward.flop == 2 * 2 * (4 * 2 * 16) * 10 * 8
    up, down, fused = upfirdn_kernels(2, 5, 8)
    assert up.flop == 2 * (2 * 3 * 64) * 4  # of 4 × 4 taps, 2 × 2 meet no zero
    assert down.flop == 2 * (2 * 5 * 16) * 16
    assert fused.flop == 2 * (2 * 5 * 64) * 16
    assert {kernel.flop for kernel in strided_kernels(2, 3, 5, 4)} == {2 * (2 * 16 * 3) * (5 * 9)}  # a patch a number
    forward, backward = fmm_kernels(2, 3, 5, rank=2)
    assert forward.flop == 2 * 2 * 3 * 2 * 5


def test_fraction_of_ceiling_takes_the_slower_of_both():
    ceilings = {"gemm": 100.0, "copy": 10.0}
    assert fraction_of_ceiling(50e9, 1e9, 1.0, ceilings) == pytest.approx(0.5)  # products: 0.5 s, copies: 0.1 s
    assert fraction_of_ceiling(1e9, 8e9, 1.0, ceilings) == pytest.approx(0.8)


def test_ceilings_count_their_work():
    found = {name: make(CPU, "bf16") for name, make in CEILINGS.items()}
    assert found["convolution"].work == pytest.approx(2 * 4 * 128 * 128 * 9 * 128**2 / 1e9)
    assert found["gemm"].work == pytest.approx(2 * 4096 * 512 * 512 / 1e9)
    assert found["copy"].work == pytest.approx(2 * 2**28 / 1e9)


def test_a_record(monkeypatch):
    plan = planned(Options(quick=True, cpu=True, rounds=1))
    kernel = all_kernels(quick=True)[0]
    case = measured(kernel, "fp32", plan)
    assert case.id == f"kernels/bias_act/{kernel.size}/fp32"
    assert case.seconds
    assert case.seconds.rounds == 1
    assert case.rates["GB/s"] == pytest.approx(case.memory["moved"] / 1e9 / case.seconds.median)
    assert case.ratios["over_eager"] == pytest.approx(case.parts["eager"] / case.seconds.median)
    assert set(case.ceilings) == {"gemm", "copy"}

    def broken(op, arguments):
        raise NotImplementedError("not for this device")

    monkeypatch.setattr("benchmarks.kernels.call", broken)
    case = measured(kernel, "fp32", plan)
    assert case.seconds is None
    assert case.error == "NotImplementedError: not for this device"
