from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from benchmarks.memory import Work, intermediate_bytes, peak_of_process, resident_peak, saved_bytes
from inrvid.kernels.bias_act import bias_act
from inrvid.kernels.operation import written_out
from inrvid.kernels.pointwise import pointwise

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_saved_storages_are_counted_once_and_parameters_are_not():
    linear = nn.Linear(8, 8, bias=False)
    x = torch.randn(4, 8, requires_grad=True)

    def forward():
        y = linear(x)  # keeps x, and the weight
        return y * y + y.exp()  # keeps y twice, and exp(y)

    assert saved_bytes(forward, [linear]) == 3 * 4 * 8 * 4
    assert saved_bytes(forward, []) == 3 * 4 * 8 * 4 + 8 * 8 * 4


def test_intermediates_count_each_storage_once_and_no_parameter():
    linear = torch.nn.Linear(8, 8)
    x = torch.randn(4, 8)

    def forward():
        return linear(x).relu().view(2, 16) + 1

    assert intermediate_bytes(forward, [linear]) == 3 * 4 * 8 * 4


def test_definitions_keep_more():
    x, bias = torch.randn(1, 16, 4, requires_grad=True), torch.randn(4, requires_grad=True)
    weight = torch.randn(1, 4, 4, requires_grad=True)

    def forward():
        return pointwise(bias_act(x, bias, gain=2.0), weight, bias, slope=0.2)

    kept = saved_bytes(forward, [])
    with written_out():
        all_kept = saved_bytes(forward, [])
        result = forward()
    assert all_kept > kept
    assert torch.allclose(result, forward(), atol=1e-5)
    gradients = torch.autograd.grad(result.sum(), [x, weight])
    expected = torch.autograd.grad(forward().sum(), [x, weight])
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(gradients, expected, strict=True))


@linux
def test_peak_is_that_of_the_work_alone():
    held = []

    def prepare():
        held.append(torch.ones(2**24))  # 64 MiB, before
        torch.ones(2**25).sum()  # 128 MiB that are gone by then

        def run():
            torch.ones(2**24).sum()

        return run

    peak = resident_peak(prepare)
    assert 60 * 2**20 < peak < 90 * 2**20


@linux
def test_peak_in_a_process_of_its_own():
    peak = peak_of_process(Work("quickstart", "fp32", "generation", 4, 1))
    assert peak
    assert 0 < peak < 2**30
    assert peak_of_process(Work("quickstart", "fp32", "no such work", 4, 1)) is None
