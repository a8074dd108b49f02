"""Reading the golden files: numbers that the authors' releases computed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

GOLDEN = Path(__file__).parent / "golden"
EVERY = 13
"""Of a large gradient the files have every 13th number."""


def golden(name: str) -> dict[str, Tensor]:
    return load_file(GOLDEN / f"{name}.safetensors")


def config_of(name: str) -> dict:
    with safe_open(GOLDEN / f"{name}.safetensors", "pt") as file:
        return json.loads(file.metadata()["config"])


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def relative_error(actual: Tensor, expected: Tensor) -> float:
    return float((actual.double() - expected.double()).norm() / expected.double().norm())


def assert_close(actual: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    assert actual.shape == expected.shape
    assert relative_error(actual.detach(), expected) < tolerance


def gradient_error(module: nn.Module, expected: Mapping[str, Tensor]) -> float:
    """Relative L2 error over all parameters, by our names."""
    actual = {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in module.named_parameters()}
    assert set(actual) == set(expected)
    flat = torch.cat([_kept(actual[name], value) for name, value in expected.items()])
    return relative_error(flat, torch.cat([value.flatten() for value in expected.values()]))


def _kept(actual: Tensor, expected: Tensor) -> Tensor:
    return actual.flatten()[:: 1 if actual.numel() == expected.numel() else EVERY]


def assert_buffers(module: nn.Module, expected: Mapping[str, Tensor]) -> None:
    """The running statistics that the file has are the module's."""
    assert expected
    buffers = dict(module.named_buffers())
    for name, value in expected.items():
        assert_close(buffers[name], value)
