from __future__ import annotations

import importlib.util
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest
import torch

from inrvid.errors import InrvidError
from inrvid.kernels import dispatch, pointwise
from inrvid.kernels.dispatch import path_for, pick, using

from .comparing import needs_triton


@pytest.fixture
def fresh(monkeypatch):
    """Triton is searched for anew, now and after the test."""

    monkeypatch.setattr(dispatch, "_triton", None)
    return monkeypatch


class OnGPU:
    """What dispatch asks of a tensor."""

    device = torch.device("cuda")
    dtype = torch.float32


def test_using_restores_what_was():
    x = torch.zeros(1)
    before = path_for(x)
    with using("definition"):
        with using("triton"):
            assert path_for(x) == "triton"
        with pytest.raises(ZeroDivisionError), using("cpu"):
            raise ZeroDivisionError
        assert path_for(x) == "definition"
    assert path_for(x) == before


def test_environment(fresh):
    fresh.setenv("INRVID_KERNELS", "definition")
    assert path_for(torch.zeros(1)) == "definition"


@pytest.mark.parametrize("value", ["trition", ""])
def test_a_wrong_path_is_refused_in_one_line(fresh, value):
    fresh.setenv("INRVID_KERNELS", value)
    with pytest.raises(InrvidError, match=r"INRVID_KERNELS.*definition, cpu, triton") as refused:
        path_for(torch.zeros(1))
    assert len(str(refused.value).splitlines()) == 1
    with pytest.raises(InrvidError), using("fast"):
        pass


def test_auto(fresh):
    fresh.delenv("INRVID_KERNELS", raising=False)
    fresh.setattr(importlib.util, "find_spec", lambda name: object())
    x, double, meta = OnGPU(), OnGPU(), torch.zeros(1, device="meta")
    double.dtype = torch.float64
    assert [path_for(y) for y in (torch.zeros(1), x, double, meta)] == ["cpu", "triton", "definition", "definition"]


def test_without_triton_the_definition_runs_and_it_is_said_once(fresh):
    fresh.delenv("INRVID_KERNELS", raising=False)
    fresh.setattr(importlib.util, "find_spec", lambda name: None)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert [path_for(OnGPU()) for _ in range(3)] == ["definition"] * 3
    assert len(said) == 1
    assert "inrvid[cuda]" in str(said[0].message)


@needs_triton
def test_an_operation_without_a_kernel_runs_its_definition():
    from inrvid.kernels import fmm

    with using("triton"):
        assert pick("fmm_weight_backward", torch.zeros(1), fmm.backward_definition, None) is fmm.backward_definition
        assert pick("fmm_weight", torch.zeros(1), fmm.definition, None) is not fmm.definition


def test_importing_the_kernels_imports_no_compiler():
    """They would take long, and who wants Triton's interpreter chooses it before Triton is imported."""
    code = (
        "import importlib, pkgutil, sys, inrvid.kernels\n"
        "for module in pkgutil.iter_modules(inrvid.kernels.__path__):\n"
        "    if module.name != 'triton': importlib.import_module(f'inrvid.kernels.{module.name}')\n"
        "print([name for name in ('torch._dynamo', 'triton') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("capability", "dtype", "expected"),
    [
        ((7, 5), torch.float16, "definition"),
        ((7, 5), torch.float32, "kernel"),
        ((8, 0), torch.float16, "kernel"),
    ],
)
def test_half_precision_products_on_old_chips_are_the_definition_s(fresh, capability, dtype, expected):
    """On sm_70 and sm_75 they would spill."""
    fresh.setattr(dispatch, "_triton_found", lambda: True)
    fresh.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    fresh.setattr(dispatch, "_triton_module", lambda file: SimpleNamespace(pointwise="kernel"))
    x = SimpleNamespace(device=torch.device("cuda"), dtype=dtype)
    found = pick("pointwise", x, pointwise.definition, None, pointwise.FORWARD.half_from)
    assert ("definition" if found is pointwise.definition else found) == expected
