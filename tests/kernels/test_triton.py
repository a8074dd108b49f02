"""The kernels compile for NVIDIA's chips, and fit them; no GPU is needed for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from inrvid.kernels import pointwise

from .cases import numbers
from .comparing import assert_near, needs_triton, on_backend

ROOT = Path(__file__).parents[2]
SHARED_MEMORY = {86: 99, 90: 227, 100: 227, 120: 99}
"""KiB that one program may have, by the chip's compute capability. Kernels for 80 and 89 are those for 86, and have as
much there or more."""

ANGLES = {"inr_layer._waves": 40, "normal._normal": 48}
"""Bytes of the stack in which sines and cosines of large angles are reduced (`normal`: 40 by Triton 3.9, 48 by 3.6);
hardly any comes there."""

MARGINAL = 16
"""Bytes a thread that may lie on the stack: a number or two, which the cache holds."""


@needs_triton
@pytest.mark.parametrize("chips", [(86, 90), pytest.param((100, 120), marks=pytest.mark.release)])
def test_kernels_fit_the_chips(chips, tmp_path):
    """Either half precision: none keeps values outside the registers, nor asks for more shared memory than there is."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    told = subprocess.run(
        [sys.executable, "-m", "tests.kernels.compile_ahead", *map(str, chips)],
        env={**environment, "TRITON_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    compiled = json.loads(told.stdout)
    assert {(entry["chip"], entry["kernel"]) for entry in compiled} == {(c, k) for c in chips for k in kernels()}
    spilled = [entry for entry in compiled if entry["spilled"] > ANGLES.get(entry["kernel"], MARGINAL)]
    assert not spilled
    assert not [entry for entry in compiled if entry["shared"] > 1024 * SHARED_MEMORY[entry["chip"]]]


def kernels() -> set[str]:
    """`operation.name`; by their underscore, without the functions that kernels call."""
    return {
        f"{path.parent.name}.{name}"
        for path in (ROOT / "inrvid/kernels").glob("*/triton.py")
        for name in re.findall(r"@triton\.jit\ndef (_\w+)", path.read_text())
    }


@needs_triton
def test_no_block_of_a_product_is_left_out():
    """A last group of rows' blocks that is not full, beside a last block of columns that is not."""
    x, weight = (numbers(*shape, dtype=torch.float32) for shape in ((2, 64 * 9 + 5, 8), (2, 8, 70)))
    found = on_backend("triton", pointwise.pointwise, (x, weight))
    assert_near([found], [x.double() @ weight.double()], 1e-6)


@needs_triton
@pytest.mark.parametrize(("setting", "expected"), [("tf32", "tf32"), ("ieee", "ieee"), ("none", "ieee")])
def test_precision_follows_pytorch(setting, expected, monkeypatch):
    """Whichever way it was set: PyTorch refuses to tell it the old way, once it was set the new one."""
    from inrvid.kernels.triton_common import precision

    matmul = torch.backends.cuda.matmul
    if not hasattr(matmul, "fp32_precision"):
        pytest.skip("this PyTorch has the old way alone")
    before = matmul.fp32_precision
    try:
        matmul.fp32_precision = setting
        assert precision(torch.float32) == expected
        assert precision(torch.bfloat16) == "ieee"
        matmul.allow_tf32 = expected == "tf32"
        assert precision(torch.float32) == expected
        with monkeypatch.context() as on_amd:  # whose chips refuse to compile it, but for one
            on_amd.setattr(torch.version, "hip", "6.4")
            assert precision(torch.float32) == "ieee"
    finally:
        matmul.allow_tf32 = False
        matmul.fp32_precision = before
