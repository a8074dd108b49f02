"""What runs in half precision."""

from __future__ import annotations

import pytest
import torch

from inrvid.layers import half


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_precisions_that_are_slow_on_a_cpu_run_as_the_parameters(monkeypatch, dtype):
    of_cpu, of_gpu = torch.zeros(1), torch.zeros(1, device="meta")
    monkeypatch.setattr(half, "SLOW_ON_CPU", {dtype})
    assert half.block_dtype(dtype, of_cpu) == torch.float32
    assert half.block_dtype(dtype, of_gpu) == dtype
    monkeypatch.setattr(half, "EMULATE", True)
    assert half.block_dtype(dtype, of_cpu) == dtype
    monkeypatch.setattr(half, "EMULATE", False)
    monkeypatch.setattr(half, "SLOW_ON_CPU", set())
    assert half.block_dtype(dtype, of_cpu) == dtype
