"""The layer, one piece of its result at a time: some videos, frames or rows.

The embedding's product with the weight is a sum of waves. Where their frequencies allow it, the sum is evaluated at few
Chebyshev nodes and interpolated.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..batches import add_products, multiply, parts, pieces, sum_of_rows
from ..chebyshev import interpolation, node_count
from .definition import halved


def inr_layer(
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


def inr_layer_backward(
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
        of_down[b] += nodes.rows.to(by_row.dtype) @ by_row.sum(dim=1)
        of_right[b] += nodes.columns.to(by_row.dtype) @ of_phase.sum(dim=(1, 2))
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


PIECE = 1 << 20
"""Numbers of the result that the CPU handles at a time."""


def _pieces(
    frames: int, down: Tensor, right: Tensor, height: int, width: int, weight: Tensor
) -> Iterator[tuple[slice, slice, _Nodes]]:
    """(videos, frames, nodes) of about `PIECE` numbers of the result; the videos of a piece have the same nodes."""
    highest = torch.stack([down.abs().amax(dim=1) * (height - 1), right.abs().amax(dim=1) * (width - 1)], dim=1) / 2
    waves, channels = weight.shape[1:]
    nodes = [_nodes(bandwidths, height, width, waves, weight.dtype) for bandwidths in highest.tolist()]
    first = 0
    for _, run in itertools.groupby(nodes, key=lambda own: (len(own.rows), len(own.columns))):
        own = list(run)
        for videos, some in pieces(len(own), frames, height * width * channels, PIECE):
            yield slice(first + videos.start, first + videos.stop), some, own[0]
        first += len(own)


def _bands(height: int, size: int) -> Iterator[slice]:
    """Bands of whole pairs of rows (`size` numbers a row), for a frame that is more than a piece by itself."""
    return (slice(2 * pairs.start, min(2 * pairs.stop, height)) for pairs in parts((height + 1) // 2, 2 * size, PIECE))


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
