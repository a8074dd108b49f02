"""The layer of a coordinate network that takes its coordinates in.

    y(i, j, t) = lrelu(coarse(⌊i/2⌋, ⌊j/2⌋, t) + [sin ‖ cos](p(i, j, t)) · W + b),   p = origin(t) + i·down + j·right

`coarse` is what the layer made of the features before they were doubled (a pointwise layer commutes with
nearest-neighbour doubling). The embedding [sin ‖ cos] of a point is as wide as its features; no path but the
definition writes it for all points. On the CPU the second term, a sum of waves, is evaluated at few Chebyshev nodes
and interpolated, where its frequencies allow it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .batches import add_products, multiply, parts, pieces, sum_of_rows
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
    """The points at which waves are evaluated, and the matrices that carry them to the grid."""

    rows: Tensor
    columns: Tensor
    to_rows: Tensor | None
    to_columns: Tensor | None


def _nodes(bandwidths: tuple[float, float], height: int, width: int, waves: int, dtype: torch.dtype) -> _Nodes:
    """For waves of up to that many radians from the grid's middle to its (lower, right) edge."""
    axes = [
        (points, node_count(bandwidth, points)) for bandwidth, points in zip(bandwidths, (height, width), strict=True)
    ]
    (_, rows), (_, columns) = axes
    cost = rows * columns * waves
    cost += rows * columns * width if columns < width else 0
    cost += rows * width * height if rows < height else 0
    if dtype == torch.float64 or cost > 0.8 * height * width * waves:
        axes = [(points, points) for points, _ in axes]
    wide = torch.promote_types(dtype, torch.float32)
    (at_rows, to_rows), (at_columns, to_columns) = (interpolation(points, nodes, wide) for points, nodes in axes)
    return _Nodes(at_rows, at_columns, to_rows, to_columns)


def _pieces(
    frames: int, down: Tensor, right: Tensor, height: int, width: int, weight: Tensor
) -> Iterator[tuple[slice, slice, _Nodes]]:
    """(videos, frames, nodes) of about `PIECE` numbers of the result: videos together have the same nodes."""
    highest = torch.stack([down.abs().amax(dim=1) * (height - 1), right.abs().amax(dim=1) * (width - 1)], dim=1) / 2
    waves, channels = weight.shape[1:]
    nodes = [_nodes(bandwidths, height, width, waves, weight.dtype) for bandwidths in highest.tolist()]
    first = 0
    for _, run in itertools.groupby(nodes, key=lambda own: (len(own.rows), len(own.columns))):
        own = list(run)
        for videos, some in pieces(len(own), frames, height * width * channels, PIECE):
            yield slice(first + videos.start, first + videos.stop), some, own[0]
        first += len(own)


def _embedding(origin: Tensor, down: Tensor, right: Tensor, nodes: _Nodes) -> Tensor:
    """[sin ‖ cos] at the nodes, `[b, t, rows, columns, 2d]`: by the addition theorems from the axes' own."""
    along_y = origin[:, :, None] + nodes.rows[:, None] * down[:, None, None]
    along_x = nodes.columns[:, None] * right[:, None]
    sin_y, cos_y = along_y.sin()[:, :, :, None], along_y.cos()[:, :, :, None]
    sin_x, cos_x = along_x.sin()[:, None, None], along_x.cos()[:, None, None]
    d = origin.shape[2]
    embedding = origin.new_empty(*along_y.shape[:3], len(nodes.columns), 2 * d)
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
    y = weight.new_empty(*origin.shape[:2], height, width, weight.shape[2])
    for b, t, nodes in _pieces(origin.shape[1], down, right, height, width, weight):
        embedding = _embedding(origin[b, t], down[b], right[b], nodes).to(weight.dtype).flatten(1, 3)
        out = y[b, t]
        on_grid = nodes.to_rows is None and nodes.to_columns is None
        values = out.flatten(1, 3) if on_grid else out.new_empty(*embedding.shape[:2], out.shape[4])
        multiply(embedding, weight[b], bias, values)
        _finish(None if on_grid else values, nodes, None if coarse is None else coarse[b, t], slope, out)
    return y


def _finish(values: Tensor | None, nodes: _Nodes, coarse: Tensor | None, slope: float, out: Tensor) -> None:
    """out `[b, t, H, W, C]` ← lrelu(values at the nodes, `[b, t·nodes, C]`, interpolated + coarse doubled).

    Without values, those of the grid's points are in `out` already.
    """
    height, width, channels = out.shape[2:]
    frames = out.shape[0] * out.shape[1]
    if values is not None:
        values = values.view(-1, len(nodes.columns), channels)
        values = values if nodes.to_columns is None else nodes.to_columns.to(out.dtype) @ values
        values = values.view(frames, len(nodes.rows), width * channels)
    for rows in _bands(height, width * channels):
        part = out[:, :, rows]
        if values is not None and nodes.to_rows is not None:
            to_rows = nodes.to_rows[rows].to(out.dtype).expand(frames, -1, -1)
            multiply(to_rows, values, None, part.flatten(0, 1).flatten(2, 3))
        elif values is not None:
            part.copy_(values[:, rows].view(part.shape))
        if coarse is not None:
            of_rows = coarse[:, :, rows.start // 2 : rows.stop // 2]
            pairs = part.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))
            pairs += of_rows[:, :, :, None, :, None]
        if slope != 1:
            F.leaky_relu_(part, slope)


def _bands(height: int, size: int) -> Iterator[slice]:
    """Rows of `size` numbers of a frame that is more than a piece by itself, in pairs."""
    return (slice(2 * pairs.start, min(2 * pairs.stop, height)) for pairs in parts((height + 1) // 2, 2 * size, PIECE))


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
    for b, t, nodes in _pieces(origin.shape[1], down, right, height, width, weight):
        pooled = None if coarse is None else of_coarse[b, t]
        of_values = _gathered(gradient[b, t], y[b, t], nodes, slope, pooled)
        exact = _embedding(origin[b, t], down[b], right[b], nodes)
        embedding = exact.to(weight.dtype).flatten(1, 3)
        add_products(of_weight[b], embedding.mT, of_values)
        of_bias += sum_of_rows(of_values.flatten(0, 1), 0, wide)  # the bias is added to the values, too
        of_embedding = torch.empty_like(embedding)
        multiply(of_values, weight[b].mT, None, of_embedding)
        of_sin, of_cos = of_embedding.to(wide).view(exact.shape).chunk(2, dim=4)
        sin, cos = exact.chunk(2, dim=4)
        of_phase = of_sin * cos - of_cos * sin  # [b, t, rows, columns, d]
        by_row = of_phase.sum(dim=3)
        of_origin[b, t] = by_row.sum(dim=2)
        of_down[b] += nodes.rows @ by_row.sum(dim=1)
        of_right[b] += nodes.columns @ of_phase.sum(dim=(1, 2))
    return of_coarse, of_origin, of_down, of_right, of_weight.to(weight.dtype), of_bias.to(weight.dtype)


def _gathered(gradient: Tensor, y: Tensor, nodes: _Nodes, slope: float, of_coarse: Tensor | None) -> Tensor:
    """The gradient of `_finish`'s values, `[b, t·nodes, C]`; fills that of coarse."""
    videos, frames, height, width, channels = y.shape
    frames *= videos
    wide = torch.promote_types(y.dtype, torch.float32)
    of_rows = y.new_zeros(frames, len(nodes.rows), width * channels, dtype=wide)
    for rows in _bands(height, width * channels):
        before = gradient[:, :, rows]
        if slope != 1:
            before = torch.ops.aten.leaky_relu_backward(before, y[:, :, rows], slope, True)
        if of_coarse is not None:
            of_coarse[:, :, rows.start // 2 : rows.stop // 2] = halved(before)
        flat = before.reshape(frames, -1, width * channels)
        if nodes.to_rows is None:
            of_rows[:, rows] = flat
        else:
            add_products(of_rows, nodes.to_rows[rows].mT.to(y.dtype).expand(frames, -1, -1), flat)
    of_values = of_rows.to(y.dtype)
    if nodes.to_columns is not None:
        of_values = nodes.to_columns.to(y.dtype).mT @ of_values.view(-1, width, channels)
    return of_values.reshape(videos, -1, channels)


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
    half_from=(8, 0),
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
