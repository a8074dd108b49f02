"""What the networks of detectors share: 'SAME' padding, and folding batch norms into convolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...weights import WeightsError

NORM = ("weight", "bias", "running_mean", "running_var")
"""Tensors of a batch norm."""


def same(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> tuple[Tensor, tuple[int, ...]]:
    """'SAME' padding with zeros of `[B, C, T, H, W]` (or of other dimensions): (x, the padding that is left for the
    operation to apply equally on both sides).

    Per dimension: k − s in total if s divides the size, else k − size mod s; the smaller half in front.
    """
    total = [max(0, k - (n % s or s)) for n, k, s in zip(x.shape[2:], kernel, stride, strict=True)]
    if all(t % 2 == 0 for t in total):
        return x, tuple(t // 2 for t in total)
    return F.pad(x, [side for t in reversed(total) for side in (t // 2, t - t // 2)]), (0,) * len(total)


def max_pool(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    """Max pooling with 'SAME' padding of `[B, C, T, H, W]` without negative numbers: zeros around it change no maximum.

    On a CPU, one dimension after the other by maxima of whole slices: the same numbers much sooner than by PyTorch's
    kernel, which looks at all numbers under the window one by one and notes, for gradients, where the largest lies.
    """
    if not x.is_cpu or (x.requires_grad and torch.is_grad_enabled()):
        x, padding = same(x, kernel, stride)
        return F.max_pool3d(x, kernel, stride, padding)
    for dim, k, s in reversed(list(zip((2, 3, 4), kernel, stride, strict=True))):
        x = _max_pool(x, dim, k, s)
    return x


def _max_pool(x: Tensor, dim: int, kernel: int, stride: int) -> Tensor:
    """Along one dimension: the places in a window one after the other, each for all windows at once."""
    if kernel == stride == 1:
        return x
    x = x.movedim(dim, 0)
    windows = -(-len(x) // stride)
    before = max(0, (windows - 1) * stride + kernel - len(x)) // 2
    largest = x[::stride].clone()
    for shift in range(-before, kernel - before):
        first, last = max(0, -(shift // stride)), min(windows - 1, (len(x) - 1 - shift) // stride)
        if shift and first <= last:
            those, there = largest[first : last + 1], x[first * stride + shift : last * stride + shift + 1 : stride]
            torch.maximum(those, there, out=those)
    return largest.movedim(0, dim)


def folded(tensors: Mapping[str, Tensor], conv: str, norm: str, eps: float) -> tuple[Tensor, Tensor]:
    """Weight and bias of one convolution that does the same as `conv` followed by the batch norm `norm`; float32.

    γ (w∗x − μ) / √(σ² + ε) + β = (γ / √(σ² + ε)) w∗x + (β − γ μ / √(σ² + ε)). If there is no γ, it is 1.

    Raises:
        WeightsError: a tensor is missing.
    """
    weight, mean, variance, bias = (
        needed(tensors, name).double()
        for name in (f"{conv}.weight", f"{norm}.running_mean", f"{norm}.running_var", f"{norm}.bias")
    )
    scale = tensors[f"{norm}.weight"].double() if f"{norm}.weight" in tensors else torch.ones_like(mean)
    scale = scale / (variance + eps).sqrt()
    return (weight * scale.view(-1, *[1] * (weight.ndim - 1))).float(), (bias - scale * mean).float()


def needed(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    """The tensor of that name. Raises WeightsError if it is missing."""
    if name not in tensors:
        raise WeightsError(f"these weights do not fit the model: {name} is not among them")
    return tensors[name]


def fill(layer: nn.Conv3d | nn.Conv2d | nn.Linear, name: str, weight: Tensor, bias: Tensor) -> None:
    """Copy weight and bias into a layer. Raises WeightsError if they have another shape."""
    if layer.weight.shape != weight.shape or layer.bias is None or layer.bias.shape != bias.shape:
        found, expected = list(weight.shape), list(layer.weight.shape)
        raise WeightsError(f"these weights do not fit the model: {name}: {found} in the file, {expected} expected")
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)


def assign(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Make tensors the weights of a network that was built without any (on the device `meta`).

    Raises:
        WeightsError: one is missing, left over, of another shape, or not made of finite numbers.
    """
    own = network.state_dict()
    for name, value in own.items():
        found = needed(tensors, name)
        if found.shape != value.shape:
            shapes = f"{list(found.shape)} in the file, {list(value.shape)} expected"
            raise WeightsError(f"these weights do not fit the model: {name}: {shapes}")
        if not found.is_floating_point() or not _is_finite(found):
            raise WeightsError(f"{name} is not a tensor of finite floating-point numbers")
    if unknown := sorted({*tensors} - {*own}):
        raise WeightsError(f"these weights do not fit the model: it has no place for {unknown[0][:80]}")
    network.load_state_dict(dict(tensors), assign=True)
    network.eval().requires_grad_(False)


def _is_finite(value: Tensor) -> bool:
    """By the extremes, which are NaN if any number is: for a billion numbers, a tenth of the time of testing each."""
    return not value.numel() or bool(torch.stack(value.aminmax()).isfinite().all())
