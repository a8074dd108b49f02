"""The layer of a coordinate network that takes its coordinates in.

    y(i, j, t) = lrelu(coarse(⌊i/2⌋, ⌊j/2⌋, t) + [sin ‖ cos](p(i, j, t)) · W + b),   p = origin(t) + i·down + j·right

`coarse` is what the layer made of the features before they were doubled (a pointwise layer commutes with
nearest-neighbour doubling). The embedding [sin ‖ cos] of a point is as wide as its features; no path but the
definition writes it for all points. On the CPU the second term, a sum of waves, is evaluated at few Chebyshev nodes
and interpolated, where its frequencies allow it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .bias_act import slopes_at
from .chebyshev import interpolation, node_count
from .operation import register, shape_of


class Phase(NamedTuple):
    """Phases affine along each axis: origin `[B, T, d]` + row·down `[B, d]` + column·right `[B, d]`, radians."""

    origin: Tensor
    down: Tensor
    right: Tensor


def inr_layer(
    coarse: Tensor | None,
    phase: Phase,
    weight: Tensor,
    bias: Tensor | None,
    height: int,
    width: int,
    *,
    slope: float = 0.2,
) -> Tensor:
    """→ features `[B, T, height, width, out]` in the weight's precision.

    Args:
        coarse: `[B, T, height/2, width/2, out]`, or none.
        phase: in float32 or more.
        weight: `[B, 2d, out]`: rows of the sines, then of the cosines.
        bias: `[out]`.
        slope: of the leaky ReLU; 1: no activation.

    Raises:
        ValueError: coarse is not half as high and wide.
    """
    if coarse is not None and (2 * coarse.shape[2], 2 * coarse.shape[3]) != (height, width):
        raise ValueError(f"coarse is {tuple(coarse.shape[2:4])}: expected half of {(height, width)}")
    return FORWARD(coarse, *phase, weight, bias, height, width, slope)


def definition(
    coarse: Tensor | None,
    origin: Tensor,
    down: Tensor,
    right: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    height: int,
    width: int,
    slope: float,
) -> Tensor:
    phase, _, _ = _phases(origin, down, right, height, width)
    embedding = torch.cat([phase.sin(), phase.cos()], dim=-1).to(weight.dtype)
    y = (embedding.flatten(1, 3) @ weight).view(*embedding.shape[:4], weight.shape[2])
    y = y if bias is None else y + bias
    y = y if coarse is None else y + doubled(coarse)
    return F.leaky_relu(y, slope) if slope != 1 else y


def _phases(origin: Tensor, down: Tensor, right: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """(phases `[B, T, height, width, d]`, rows' and columns' numbers)."""
    i, j = (torch.arange(n, device=origin.device, dtype=origin.dtype) for n in (height, width))
    along_y = i[:, None] * down[:, None]  # [B, height, d]
    along_x = j[:, None] * right[:, None]
    return origin[:, :, None, None] + along_y[:, None, :, None] + along_x[:, None, None], i, j


def doubled(x: Tensor) -> Tensor:
    """`[B, T, h, w, C]` → `[B, T, 2h, 2w, C]`, each point four times."""
    return x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2, -1).flatten(4, 5).flatten(2, 3)


def halved(x: Tensor) -> Tensor:
    """The adjoint of `doubled`, of one or more frames `[..., 2h, 2w, C]`: sums of 2×2 points."""
    x = x.unflatten(-3, (-1, 2))
    x = (x[..., 0, :, :] + x[..., 1, :, :]).unflatten(-2, (-1, 2))
    return x[..., 0, :] + x[..., 1, :]


class _Nodes(NamedTuple):
    """The points at which one video's waves are evaluated, and the matrices that carry them to the grid."""

    rows: Tensor
    columns: Tensor
    to_rows: Tensor | None
    to_columns: Tensor | None


def _nodes(down: Tensor, right: Tensor, height: int, width: int, weight: Tensor) -> _Nodes:
    """`down`, `right` `[d]` of one video."""
    waves = len(weight)
    axes = [
        (points, node_count(float(step.abs().amax()) * (points - 1) / 2, points))
        for step, points in ((down, height), (right, width))
    ]
    (_, rows), (_, columns) = axes
    cost = rows * columns * waves
    cost += rows * columns * width if columns < width else 0
    cost += rows * width * height if rows < height else 0
    if weight.dtype == torch.float64 or cost > 0.8 * height * width * waves:
        axes = [(points, points) for points, _ in axes]
    wide = torch.promote_types(weight.dtype, torch.float32)
    (at_rows, to_rows), (at_columns, to_columns) = (interpolation(points, nodes, wide) for points, nodes in axes)
    return _Nodes(at_rows, at_columns, to_rows, to_columns)


def _embedding(origin: Tensor, down: Tensor, right: Tensor, nodes: _Nodes) -> Tensor:
    """[sin ‖ cos] at the nodes, `[rows, columns, 2d]`; origin `[d]`: by the addition theorems from the axes' own."""
    along_y = origin + nodes.rows[:, None] * down
    along_x = nodes.columns[:, None] * right
    sin_y, cos_y, sin_x, cos_x = along_y.sin()[:, None], along_y.cos()[:, None], along_x.sin(), along_x.cos()
    d = len(origin)
    embedding = origin.new_empty(len(nodes.rows), len(nodes.columns), 2 * d)
    sin, cos = embedding[..., :d], embedding[..., d:]
    torch.mul(sin_y, cos_x, out=sin).addcmul_(cos_y, sin_x)
    torch.mul(cos_y, cos_x, out=cos).addcmul_(sin_y, sin_x, value=-1)
    return embedding


def cpu(
    coarse: Tensor | None,
    origin: Tensor,
    down: Tensor,
    right: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    height: int,
    width: int,
    slope: float,
) -> Tensor:
    videos, frames, channels = *origin.shape[:2], weight.shape[2]
    y = weight.new_empty(videos, frames, height, width, channels)
    for b in range(videos):
        nodes = _nodes(down[b], right[b], height, width, weight[b])
        for t in range(frames):
            embedding = _embedding(origin[b, t], down[b], right[b], nodes).to(weight.dtype).flatten(0, 1)
            pooled = None if coarse is None else coarse[b, t]
            if nodes.to_rows is None and nodes.to_columns is None:
                _product(embedding, weight[b], bias, out=y[b, t].view(-1, channels))
                _finish(None, nodes, pooled, slope, y[b, t])
            else:
                _finish(_product(embedding, weight[b], bias), nodes, pooled, slope, y[b, t])
    return y


def _product(x: Tensor, weight: Tensor, bias: Tensor | None, out: Tensor | None = None) -> Tensor:
    return torch.mm(x, weight, out=out) if bias is None else torch.addmm(bias, x, weight, out=out)


def _finish(values: Tensor | None, nodes: _Nodes, coarse: Tensor | None, slope: float, out: Tensor) -> None:
    """out `[H, W, C]` ← lrelu(values at the nodes, `[nodes, C]`, interpolated + coarse `[h, w, C]` doubled).

    Without values, those of the grid's points are in `out` already.
    """
    height, width, channels = out.shape
    to_rows = None if nodes.to_rows is None else nodes.to_rows.to(out.dtype)
    if values is not None:
        if nodes.to_columns is not None:
            values = nodes.to_columns.to(out.dtype) @ values.view(len(nodes.rows), -1, channels)
        values = values.view(len(nodes.rows), width * channels)
    step = max(2, PIECE // (width * channels) // 2 * 2)
    for i in range(0, height, step):
        part = out[i : i + step]
        if values is not None and to_rows is not None:
            torch.mm(to_rows[i : i + step], values, out=part.view(len(part), -1))
        elif values is not None:
            part.copy_(values[i : i + step].view(part.shape))
        if coarse is not None:
            part.view(len(part) // 2, 2, width // 2, 2, channels).add_(coarse[i // 2 : (i + step) // 2, None, :, None])
        if slope != 1:
            F.leaky_relu_(part, slope)


PIECE = 1 << 20
"""Numbers of the result that the CPU handles at a time."""


def backward_definition(
    gradient: Tensor,
    y: Tensor,
    coarse: Tensor | None,
    origin: Tensor,
    down: Tensor,
    right: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    height: int,
    width: int,
    slope: float,
) -> tuple[Tensor, ...]:
    """Gradients of coarse (empty without one), origin, down, right, weight and bias, from those of y."""
    before = gradient * slopes_at(y, slope)
    of_coarse = halved(before) if coarse is not None else gradient.new_empty(0)
    phase, i, j = _phases(origin, down, right, height, width)
    sin, cos = phase.sin(), phase.cos()
    embedding = torch.cat([sin, cos], dim=-1).to(weight.dtype).flatten(1, 3)
    rows = before.flatten(1, 3)
    of_sin, of_cos = (rows @ weight.mT).to(phase.dtype).view(*phase.shape[:-1], weight.shape[1]).chunk(2, dim=-1)
    of_phase = of_sin * cos - of_cos * sin
    of_down = (of_phase.sum(dim=(1, 3)) * i[:, None]).sum(dim=1)
    of_right = (of_phase.sum(dim=(1, 2)) * j[:, None]).sum(dim=1)
    return of_coarse, of_phase.sum(dim=(2, 3)), of_down, of_right, embedding.mT @ rows, rows.sum(dim=(0, 1))


def backward_cpu(
    gradient: Tensor,
    y: Tensor,
    coarse: Tensor | None,
    origin: Tensor,
    down: Tensor,
    right: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    height: int,
    width: int,
    slope: float,
) -> tuple[Tensor, ...]:
    wide = torch.promote_types(weight.dtype, torch.float32)
    of_coarse = weight.new_empty(0) if coarse is None else weight.new_empty(coarse.shape)
    of_origin, of_down, of_right = (torch.zeros_like(x) for x in (origin, down, right))
    of_weight = torch.zeros_like(weight, dtype=wide)
    of_bias = weight.new_zeros(weight.shape[2], dtype=wide)
    for b in range(len(origin)):
        nodes = _nodes(down[b], right[b], height, width, weight[b])
        for t in range(origin.shape[1]):
            pooled = None if coarse is None else of_coarse[b, t]
            of_values = _gathered(gradient[b, t], y[b, t], nodes, slope, pooled, of_bias)
            exact = _embedding(origin[b, t], down[b], right[b], nodes)
            embedding = exact.to(weight.dtype).flatten(0, 1)
            of_weight[b] += embedding.mT @ of_values
            of_sin, of_cos = (of_values @ weight[b].mT).to(wide).view(exact.shape).chunk(2, dim=2)
            sin, cos = exact.chunk(2, dim=2)
            of_phase = of_sin * cos - of_cos * sin  # [rows, columns, d]
            of_origin[b, t] = of_phase.sum(dim=(0, 1))
            of_down[b] += nodes.rows @ of_phase.sum(dim=1)
            of_right[b] += nodes.columns @ of_phase.sum(dim=0)
    return of_coarse, of_origin, of_down, of_right, of_weight.to(weight.dtype), of_bias.to(weight.dtype)


def _gathered(
    gradient: Tensor, y: Tensor, nodes: _Nodes, slope: float, of_coarse: Tensor | None, of_bias: Tensor
) -> Tensor:
    """The gradient of `_finish`'s values, `[nodes, C]`; fills that of coarse and adds to that of bias."""
    height, width, channels = y.shape
    wide = of_bias.dtype
    of_rows = y.new_zeros(len(nodes.rows), width * channels, dtype=wide)
    step = max(2, PIECE // (width * channels) // 2 * 2)
    for i in range(0, height, step):
        part = slice(i, min(i + step, height))
        before = gradient[part]
        if slope != 1:
            before = torch.ops.aten.leaky_relu_backward(before, y[part], slope, True)
        if of_coarse is not None:
            of_coarse[i // 2 : part.stop // 2] = halved(before)
        of_bias += before.sum(dim=(0, 1), dtype=wide)
        flat = before.reshape(len(before), -1)
        if nodes.to_rows is None:
            of_rows[part] = flat
        elif wide == y.dtype:
            of_rows.addmm_(nodes.to_rows[part].mT, flat)
        else:
            of_rows += nodes.to_rows[part].mT.to(y.dtype) @ flat
    of_values = of_rows.to(y.dtype).view(len(nodes.rows), width, channels)
    if nodes.to_columns is not None:
        of_values = nodes.to_columns.to(y.dtype).mT @ of_values
    return of_values.reshape(-1, channels)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    coarse, *tensors, ctx.height, ctx.width, ctx.slope = inputs
    ctx.save_for_backward(output, shape_of(coarse), *tensors)


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    run: Any = backward_definition if torch.is_grad_enabled() else BACKWARD
    found = run(gradient, *ctx.saved_tensors, ctx.height, ctx.width, ctx.slope)
    return *(None if x is None else g for x, g in zip(ctx.saved_tensors[1:], found, strict=True)), None, None, None


_TENSORS = "Tensor? coarse, Tensor origin, Tensor down, Tensor right, Tensor weight, Tensor? bias"
_CONSTANTS = "int height, int width, float slope"
FORWARD = register(
    "inr_layer",
    f"({_TENSORS}, {_CONSTANTS}) -> Tensor",
    definition,
    cpu,
    lambda coarse, origin, down, right, weight, bias, height, width, slope: weight.new_empty(
        *origin.shape[:2], height, width, weight.shape[2]
    ),
    backward=_backward,
    setup=_setup,
)
BACKWARD = register(
    "inr_layer_backward",
    f"(Tensor gradient, Tensor y, {_TENSORS}, {_CONSTANTS}) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    backward_definition,
    backward_cpu,
    lambda gradient, y, coarse, origin, down, right, weight, bias, *rest: (
        y.new_empty(0 if coarse is None else coarse.shape),
        *(x.new_empty(x.shape) for x in (origin, down, right, weight)),
        y.new_empty(y.shape[-1]),
    ),
)
