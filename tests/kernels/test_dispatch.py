from __future__ import annotations

import importlib.util
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest
import torch

from inrvid.errors import InrvidError
from inrvid.kernels import dispatch, fmm, pointwise
from inrvid.kernels.dispatch import FULL, HALF, current_backend, on_cpu_backend, pick, use_backend
from inrvid.kernels.operation import implement

from .comparing import needs_triton


@pytest.fixture
def fresh(monkeypatch):
    """Nothing was picked, searched for or said yet, and nothing forces a backend; what is registered is forgotten."""
    monkeypatch.delenv("INRVID_KERNELS", raising=False)
    monkeypatch.setattr(dispatch, "_implementations", dispatch._implementations)
    monkeypatch.setattr(dispatch, "_picked", {})
    monkeypatch.setattr(dispatch, "_warned", False)
    dispatch._installed.cache_clear()
    yield monkeypatch
    dispatch._installed.cache_clear()


@pytest.fixture
def gpu(fresh):
    """A function that makes a GPU of some capability, and tells what dispatch asks of a tensor on it."""

    def made(capability=(9, 0), dtype=torch.float32):
        fresh.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        fresh.setattr(dispatch, "_picked", {})
        return SimpleNamespace(device=torch.device("cuda"), dtype=dtype)

    return made


def picked(x, operation="pointwise"):
    """definition, cpu, triton, or the function of another package."""
    found = pick(operation, x, pointwise.definition.pointwise)
    return found.__module__.rpartition(".")[2] if found.__module__.startswith("inrvid.") else found


def without(missing):
    return lambda name: None if name == missing else object()


def test_using_restores_what_was(fresh):
    with use_backend("definition"):
        with use_backend("triton"):
            assert current_backend() == "triton"
        with pytest.raises(ZeroDivisionError), use_backend("cpu"):
            raise ZeroDivisionError
        assert current_backend() == "definition"
    assert current_backend() == "auto"


def test_environment(fresh):
    fresh.setenv("INRVID_KERNELS", "definition")
    assert current_backend() == "definition"
    assert picked(torch.zeros(1)) == "definition"
    with use_backend("cpu"):
        assert picked(torch.zeros(1)) == "cpu"


@pytest.mark.parametrize("value", ["trition", ""])
def test_a_wrong_path_is_refused_in_one_line(fresh, value):
    fresh.setenv("INRVID_KERNELS", value)
    with pytest.raises(InrvidError, match=r"INRVID_KERNELS.*definition, cpu, triton") as refused:
        on_cpu_backend(torch.zeros(1))
    assert len(str(refused.value).splitlines()) == 1
    with pytest.raises(InrvidError), use_backend("fast"):
        pass


@needs_triton
def test_auto(gpu):
    meta = torch.zeros(1, device="meta")
    tensors = torch.zeros(1), gpu(), gpu(dtype=torch.float64), meta
    assert [picked(x) for x in tensors] == ["cpu", "triton", "definition", "definition"]
    assert [on_cpu_backend(x) for x in tensors] == [True, False, False, False]


def test_without_triton_the_definition_runs_and_it_is_said_once(gpu, fresh):
    fresh.setattr(importlib.util, "find_spec", without("triton"))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert [picked(x) for x in (gpu(), gpu(), gpu(dtype=torch.bfloat16))] == ["definition"] * 3
    assert len(said) == 1
    assert "inrvid[cuda]" in str(said[0].message)


@needs_triton
def test_an_operation_without_a_kernel_runs_its_definition(fresh):
    with use_backend("triton"):
        for name, has_one in (("fmm_weight_backward", False), ("fmm_weight", True)):
            definition = getattr(fmm.definition, name)
            assert (pick(name, torch.zeros(1), definition) is not definition) == has_one


def test_importing_the_kernels_imports_no_compiler():
    """They would take long, and who wants Triton's interpreter chooses it before Triton is imported."""
    code = (
        "import sys; from inrvid.kernels.operation import operations; operations()\n"
        "print([name for name in ('torch._dynamo', 'triton') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@needs_triton
@pytest.mark.parametrize(
    ("capability", "dtype", "expected"),
    [
        ((7, 5), torch.float16, "definition"),
        ((7, 5), torch.float32, "triton"),
        ((8, 0), torch.float16, "triton"),
    ],
)
def test_half_precision_products_on_old_chips_are_the_definition_s(gpu, capability, dtype, expected):
    """On sm_70 and sm_75 they would spill; it is said once."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert [picked(gpu(capability, dtype)) for _ in range(2)] == [expected] * 2
    told = [str(one.message) for one in said]
    assert len(told) == (expected == "definition")
    assert all("float16" in message and "compute capability 7.5" in message for message in told)


@needs_triton
def test_chips_older_than_triton_s_run_definitions(gpu):
    """PyTorch still runs on them."""
    with pytest.warns(UserWarning, match=r"for newer GPUs than this one \(compute capability 6.1\)"):
        assert picked(gpu((6, 1), torch.float32)) == "definition"


def other(package, name="kernel"):
    """A function of another package."""

    def function(*arguments):
        raise NotImplementedError

    function.__module__, function.__name__ = package, name
    return function


@needs_triton
def test_the_newest_that_the_chip_can_run_is_picked(gpu):
    hopper, blackwell, half = (other("fast_kernels", name) for name in ("hopper", "blackwell", "half"))
    implement("pointwise", device="cuda", capability=(10, 0))(blackwell)
    implement("pointwise", device="cuda", capability=(9, 0))(hopper)
    implement("pointwise", device="cuda", capability=(9, 0), dtypes=HALF)(half)
    assert picked(gpu((8, 9))) == "triton"
    assert picked(gpu((9, 0))) is hopper
    assert picked(gpu((9, 0), torch.bfloat16)) is half
    assert picked(gpu((12, 0), torch.bfloat16)) is blackwell
    assert picked(gpu((9, 0), torch.float64)) == "definition"
    assert picked(torch.zeros(1)) == "cpu"
    with use_backend("triton"):  # those that require it
        assert picked(gpu((9, 0))) == "triton"


def test_one_without_triton_serves_where_triton_is_missing(gpu, fresh):
    fresh.setattr(importlib.util, "find_spec", without("triton"))
    kernel = other("fast_kernels")
    implement("pointwise", device="cuda", dtypes=FULL)(kernel)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert picked(gpu()) is kernel
    with pytest.warns(UserWarning, match="Triton is not installed"):
        assert picked(gpu(dtype=torch.float16)) == "definition"


def test_a_missing_module_is_named_before_a_newer_chip(gpu, fresh):
    """It can be installed."""
    fresh.setattr(importlib.util, "find_spec", without("triton"))
    implement("pointwise", device="cuda", capability=(10, 0))(other("fast_kernels"))
    with pytest.warns(UserWarning, match="Triton is not installed"):
        assert picked(gpu((9, 0))) == "definition"


def test_other_devices(fresh):
    kernel = other("fast_kernels")
    x = SimpleNamespace(device=torch.device("mps"), dtype=torch.float32)
    assert picked(x) == "definition"
    implement("pointwise", device="mps")(kernel)
    assert picked(x) is kernel


def test_a_package_may_replace_the_library_s_and_its_own(fresh):
    first, second = other("fast_kernels.old"), other("fast_kernels.new")
    for kernel in (first, second):
        assert picked(torch.zeros(1)) is not kernel
        assert implement("pointwise", device="cpu")(kernel) is kernel
        assert picked(torch.zeros(1)) is kernel
    with pytest.raises(InrvidError, match="'pointwise' is implemented for cpu by fast_kernels and by faster_kernels"):
        implement("pointwise", device="cpu")(other("faster_kernels"))
    assert picked(torch.zeros(1)) is second


def test_an_implementation_is_imported_when_it_runs(fresh):
    implement("pointwise", device="cpu")("missing_kernels.cpu:pointwise")
    with pytest.raises(ModuleNotFoundError, match="missing_kernels"):
        picked(torch.zeros(1))


def test_an_unknown_operation_is_refused():
    with pytest.raises(InrvidError, match=r"no operation named 'pointwyse'. Did you mean 'pointwise'\?"):
        implement("pointwyse", device="cpu")
