"""Other packages' kernels."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
import warnings

import pytest
import torch

import inrvid.kernels
from inrvid.kernels import dispatch, normal, operations, plugins
from inrvid.kernels.dispatch import pick, use_backend

KERNEL = """
from inrvid.kernels import implement

@implement("normal", device="cpu")
def {name}(keys, index, width):
    return keys
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs packages of one module each: (name, source)."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("INRVID_KERNELS", raising=False)
    monkeypatch.setattr(plugins, "_loaded", False)
    monkeypatch.setattr(dispatch, "_implementations", dispatch._implementations)
    monkeypatch.setattr(dispatch, "_picked", {})
    names = []

    def made(*modules):
        for name, source in modules:
            write_package(tmp_path, name, source, f"[inrvid.kernels]\n{name} = {name}\n")
            names.append(name)
        importlib.invalidate_caches()

    yield made
    for name in names:
        sys.modules.pop(name, None)


def write_package(folder, name, source, entry_points):
    """As pip would install it."""
    (folder / f"{name}.py").write_text(source)
    info = folder / f"{name}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(entry_points)


def picked():
    """The module of the implementation that runs."""
    return pick("normal", torch.zeros(1), normal.definition.normal).__module__


def test_they_are_imported_before_the_first_operation_runs(install):
    install(("quick_kernels", KERNEL.format(name="normal")))
    with use_backend("definition"):
        picked()
    assert "quick_kernels" not in sys.modules
    assert [picked(), picked()] == ["quick_kernels"] * 2


def test_they_are_imported_when_operations_are_listed(install):
    install(("quick_kernels", KERNEL.format(name="normal")))
    assert "normal" in operations()
    assert "quick_kernels" in sys.modules


def test_one_that_fails_is_left_out_and_named(install):
    install(
        ("bad_kernels", KERNEL.format(name="normal") + "\nimport no_such_module"), ("plain_kernels", "ready = True")
    )
    with pytest.warns(UserWarning, match="'bad_kernels' of bad_kernels 0.1 are left out") as said:
        assert picked().startswith("inrvid.")
    assert len(said) == 1
    assert "No module named 'no_such_module'" in str(said[0].message)
    assert "pip install -U bad_kernels" in str(said[0].message)
    assert "plain_kernels" in sys.modules
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picked()


def test_of_two_in_one_place_the_second_is_left_out(install):
    install(*((name, KERNEL.format(name="normal")) for name in ("b_kernels", "a_kernels")))
    with pytest.warns(UserWarning, match="'b_kernels'.*implemented for cpu by a_kernels and by b_kernels: uninstall"):
        assert picked() == "a_kernels"


def test_an_unknown_operation_is_left_out(install):
    install(("odd_kernels", KERNEL.replace('"normal"', '"gaussian"').format(name="gaussian")))
    with pytest.warns(UserWarning, match="'odd_kernels'.*no operation named 'gaussian'"):
        assert picked().startswith("inrvid.")


def test_a_module_may_call_operations_while_it_is_imported(install):
    call = "\nimport torch; from inrvid.kernels.bias_act import bias_act; y = bias_act(torch.ones(1, 1, 1))"
    install(("calling_kernels", KERNEL.format(name="normal") + call))
    assert picked() == "calling_kernels"


CHECK = """
import sys, torch
from inrvid.kernels import operations
from inrvid.kernels.dispatch import use_backend
from inrvid.kernels.pointwise import pointwise

assert "fast_kernels" not in sys.modules
called = []
def profile(frame, event, _):
    if event == "call" and frame.f_globals.get("__name__") == "fast_kernels":
        called.append(frame.f_code.co_name)

def run():
    torch.manual_seed(0)
    leaves = [torch.randn(*shape, requires_grad=True) for shape in ((2, 5, 3), (2, 3, 4), (4,))]
    y = pointwise(*leaves, slope=0.2)
    return y, *torch.autograd.grad(y.square().sum(), leaves)

with use_backend("definition"):
    expected = run()
sys.setprofile(profile)
found = run()
sys.setprofile(None)
assert [name for name in called if "pointwise" in name] == ["pointwise", "pointwise_backward"], called
torch.testing.assert_close(found, expected)

x = torch.randn(3, dtype=torch.float64, requires_grad=True)
sine = operations()["sine"]
for function in (sine, torch.ops.inrvid.sine):
    torch.testing.assert_close(function(x, 2.0), (2 * x).sin())
    torch.autograd.gradgradcheck(function, (x, 2.0))
torch.library.opcheck(torch.ops.inrvid.sine.default, (x, 2.0))
"""


def test_the_example(tmp_path):
    """That of the documentation, installed as its package would be."""
    paragraphs = (inrvid.kernels.__doc__ or "").split(":\n\n")
    module, declared = (
        textwrap.dedent("\n".join(line for line in text.splitlines() if not line or line.startswith("    ")))
        for text in paragraphs[-2:]
    )
    points = declared.replace('[project.entry-points."inrvid.kernels"]', "[inrvid.kernels]").replace('"', "")
    write_package(tmp_path, "fast_kernels", module, points)
    environment = {key: value for key, value in os.environ.items() if key != "INRVID_KERNELS"}
    path = os.pathsep.join([str(tmp_path), *filter(None, [environment.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", CHECK], env={**environment, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
