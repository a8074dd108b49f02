"""Reading the golden files: numbers that the authors' releases computed (tests/golden/README.md)."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from inrvid.models.official import Part, below, renamed

GOLDEN = Path(__file__).parent / "golden"
EVERY = 13
"""Of large gradients and augmented clips the files have every 13th number, where no row is a multiple of that long:
each has others."""


def golden(name: str) -> dict[str, Tensor]:
    return load_file(GOLDEN / f"{name}.safetensors")


def relative_error(actual: Tensor, expected: Tensor) -> float:
    """‖actual − expected‖ / ‖expected‖ in float64."""
    return float((actual.double() - expected.double()).norm() / expected.double().norm())


def assert_close(actual: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    assert actual.shape == expected.shape
    assert relative_error(actual.detach(), expected) < tolerance


def gradient_error(module: nn.Module, tensors: dict[str, Tensor], prefix: str, part: Part) -> float:
    """Relative L2 error over all parameters of `module`'s gradients against the file's below `prefix`."""
    expected = renamed(below(prefix, tensors), part)
    actual = {name: p.grad if p.grad is not None else torch.zeros_like(p) for name, p in module.named_parameters()}
    assert set(actual) == set(expected)
    flat = torch.cat([kept(actual[name], value) for name, value in expected.items()])
    return relative_error(flat, torch.cat([value.flatten() for value in expected.values()]))


def kept(actual: Tensor, expected: Tensor) -> Tensor:
    """The numbers of `actual` that a file has, where it leaves some out."""
    return actual.flatten()[:: 1 if actual.numel() == expected.numel() else EVERY]
