"""Layers one after another, some convolutions in half precision; batch normalisation over all processes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.distributed as processes
from torch import Tensor, nn

from inrvid.plugins import block_dtype, half_dtypes, to_precision

Half = Sequence["torch.dtype | None"]
"""Precision of each convolution, in order: a half precision, or None."""


class Stack(nn.Sequential):
    """`layers`, of whose convolutions the first `len(half)` have these precisions; what is between them is float32."""

    def __init__(self, layers: Iterable[nn.Module], half: Half = ()):
        super().__init__(*layers)
        convolutions = (i for i, layer in enumerate(self) if hasattr(layer, "kernel_size"))
        self.lower = {i: dtype for i, dtype in zip(convolutions, half, strict=False) if dtype is not None}

    def forward(self, x: Tensor) -> Tensor:
        for i, layer in enumerate(self):
            x = in_half(layer, x, self.lower[i]) if i in self.lower else layer(x)
        return x


def in_half(layer: nn.Module, x: Tensor, dtype: torch.dtype) -> Tensor:
    """The layer's output for `x`, computed in `dtype` where the device does that well."""
    dtype = block_dtype(dtype, x)
    if dtype == x.dtype:
        y: Tensor = layer(x)
        return y
    weight = {name: to_precision(p, dtype) for name, p in layer.named_parameters()}
    return to_precision(torch.func.functional_call(layer, weight, (to_precision(x, dtype),)), x.dtype)


def precisions(resolutions: Sequence[int], half_blocks: int, half_dtype: str) -> Half:
    """Precisions of convolutions at these resolutions: the highest `half_blocks` in half precision."""
    by_resolution = half_dtypes(list(resolutions), half_blocks, half_dtype)
    return [by_resolution[r] for r in resolutions]


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation of frames, over the batch of all processes."""

    def forward(self, x: Tensor) -> Tensor:
        return over_processes(self, x) if self.training and in_company() else super().forward(x)


class BatchNorm3d(nn.BatchNorm3d):
    """Batch normalisation of clips, over the batch of all processes."""

    def forward(self, x: Tensor) -> Tensor:
        return over_processes(self, x) if self.training and in_company() else super().forward(x)


def in_company() -> bool:
    """Whether there are other processes."""
    return processes.is_available() and processes.is_initialized() and processes.get_world_size() > 1


def over_processes(norm: BatchNorm2d | BatchNorm3d, x: Tensor) -> Tensor:
    """As PyTorch's, with the statistics of all processes, whose batches have the same size."""
    others, shape = [0, *range(2, x.ndim)], (1, -1, *[1] * (x.ndim - 2))
    mean = mean_of_all(x.mean(others))
    centred = x - mean.view(shape)
    variance = mean_of_all(centred.square().mean(others))
    if norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None:
        count = x.numel() // x.shape[1] * processes.get_world_size()
        momentum = 0.0 if norm.momentum is None else norm.momentum
        norm.num_batches_tracked += 1
        norm.running_mean.lerp_(mean.detach(), momentum)
        norm.running_var.lerp_(variance.detach() * (count / (count - 1)), momentum)
    scale = norm.weight * (variance + norm.eps).rsqrt()
    return centred * scale.view(shape) + norm.bias.view(shape)


def mean_of_all(values: Tensor) -> Tensor:
    """Mean over processes; gradients go to all of them."""
    from torch.distributed.nn import functional as between  # missing where PyTorch has no distributed package

    total: Tensor = between.all_reduce(values)
    return total / processes.get_world_size()
