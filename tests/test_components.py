"""The conformance suite over every registry entry: a component is tested by being registered."""

from __future__ import annotations

import pytest
import torch

from inrvid import build_generator
from inrvid.registry import REGISTRIES, registry
from inrvid.testing.suite import conformance, is_slow, names_of

from .small import small_generator

ALL = [(kind, name) for kind in REGISTRIES for name in registry(kind).names()]
QUICK = [
    pytest.param(kind, name, check, id=f"{kind}-{name}-{check.removeprefix('test_')}")
    for kind, name in ALL
    for checks in [conformance(kind, name)]
    for check in names_of(checks)
    if not is_slow(checks, check)  # two processes: tests/training/test_processes.py
]


@pytest.fixture
def no_weights(tmp_path_factory, monkeypatch):
    """Detectors are looked at without the large networks that this machine may have: see tests/evaluation."""
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("inrvid.evaluation.detectors.weights.installed_file", lambda source: None)


@pytest.mark.parametrize(("kind", "name", "check"), QUICK)
def test_component(kind, name, check, no_weights):
    getattr(conformance(kind, name)(), check)()


@pytest.mark.parametrize(("kind", "name"), [part for part in ALL if not registry(part[0]).entry(part[1]).is_plugin])
def test_configuration_stands_in_its_class(kind, name):
    assert registry(kind).config_class(name).__qualname__.endswith(".Config")


def test_cpu_runs_float16_blocks_in_float32():
    """Published recipes have float16 blocks, and a CPU takes many times longer in it."""
    full = build_generator(small_generator("stylegan2", "global"), seed=1)
    half = build_generator(small_generator("stylegan2", "global", half_blocks=2, half_dtype="float16"), seed=1)
    latents = full.sample_latents(1)
    torch.testing.assert_close(half(latents, 3.0), full(latents, 3.0), rtol=1e-4, atol=1e-4)
