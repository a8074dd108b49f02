"""The layer of a coordinate network that takes its coordinates in, as a matrix product that makes its own operand.

Sines and cosines of rows (origin + i·down) and columns (j·right) come as small float32 tables. A program takes a
rectangle of a frame's pixels × a block of output channels: a rectangle of BY × BX pixels needs BY + BX entries of
the tables a wave, from which the addition theorems make its BY·BX sines and cosines in registers, in float32, just
before they are multiplied with the weight. The epilogue adds the coarse features (each read by 4 neighbours, from the
cache) and the bias, and applies the leaky ReLU.

The backward pass: one pass over the gradient for activation, 2×2 sums and bias; then, a few videos or frames at a time,
the embedding is written, multiplied with the gradient, and its memory reused for its own gradient, which one pass
reduces to a sum and a first moment for each row of pixels.
"""

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..batches import pieces
from ..bias_act.triton import before_lrelu
from ..triton_common import PROGRAMS, launch, power, precision, product_blocks, product_over_rows

CHUNK = 1 << 27
"""Numbers of the embedding that the backward pass holds at a time; at least one frame's."""


class _Tables(NamedTuple):
    """Sines and cosines along each axis: rows `[B, T, H, d]`, columns `[B, W, d]`."""

    sin_rows: Tensor
    cos_rows: Tensor
    sin_columns: Tensor
    cos_columns: Tensor


def _tables(origin: Tensor, down: Tensor, right: Tensor, height: int, width: int) -> _Tables:
    n, frames, depth = origin.shape
    rows = torch.empty(2, n, frames, height, depth, dtype=torch.float32, device=origin.device)
    columns = torch.empty(2, n, width, depth, dtype=torch.float32, device=origin.device)
    bk = power(depth, 8, 128)
    bi = 512 // bk
    deep, tall = triton.cdiv(depth, bk), triton.cdiv(height, bi)
    programs = (n * frames * tall + n * triton.cdiv(width, bi)) * deep
    launch(
        _waves, programs, origin.contiguous(), down.contiguous(), right.contiguous(), *rows, *columns,
        n * frames * tall, frames, height, width, depth, BI=bi, BK=bk,
    )  # fmt: skip
    return _Tables(*rows, *columns)


@triton.jit
def _waves(
    origin, down, right, sin_rows, cos_rows, sin_columns, cos_columns, of_rows, frames, height, width, depth,
    BI: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    deep = tl.cdiv(depth, BK)
    k = tl.program_id(0) % deep * BK + tl.arange(0, BK)
    part = tl.program_id(0) // deep
    if part < of_rows:
        tall = tl.cdiv(height, BI)
        frame = part // tall
        i = part % tall * BI + tl.arange(0, BI)
        start = tl.load(origin + frame * depth + k, mask=k < depth, other=0.0)
        step = tl.load(down + frame // frames * depth + k, mask=k < depth, other=0.0)
        waves(start, step, frame.to(tl.int64) * height, i, height, k, depth, sin_rows, cos_rows)
    else:
        wide = tl.cdiv(width, BI)
        b = (part - of_rows) // wide
        j = (part - of_rows) % wide * BI + tl.arange(0, BI)
        step = tl.load(right + b * depth + k, mask=k < depth, other=0.0)
        waves(tl.zeros((BK,), step.dtype), step, b.to(tl.int64) * width, j, width, k, depth, sin_columns, cos_columns)


@triton.jit
def waves(start, step, first, i, count, k, depth, sin, cos):
    """Sine and cosine of start + i·step, from row `first` of the tables on."""
    phase = start[None, :] + i.to(step.dtype)[:, None] * step[None, :]
    at = (first + i)[:, None] * depth + k[None, :]
    inside = (i < count)[:, None] & (k < depth)[None, :]
    tl.store(sin + at, tl.sin(phase).to(tl.float32), mask=inside)
    tl.store(cos + at, tl.cos(phase).to(tl.float32), mask=inside)


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
    """coarse `[B, T, height/2, width/2, out]`, phase, weight `[B, 2d, out]` → `[B, T, height, width, out]`."""
    (n, frames, depth), channels = origin.shape, weight.shape[2]
    y = weight.new_empty(n, frames, height, width, channels)
    if y.numel() == 0:
        return y
    blocks = product_blocks(weight.dtype, n * frames, height * width, channels)
    bm, blocks["BK"] = blocks.pop("BM"), min(blocks["BK"], 32)  # sines and cosines make two blocks of BK
    if bm == 128 and weight.dtype != torch.float32:  # what makes the sines needs registers, too
        bm, blocks["BK"], blocks["num_warps"] = 64, 16, 4
    bx = min(power(width, 1, 16), bm)
    tiles = triton.cdiv(height, bm // bx) * triton.cdiv(width, bx)
    launch(
        _layer, n * frames * tiles * triton.cdiv(channels, blocks["BN"]),
        *_tables(origin, down, right, height, width), weight.contiguous(), None if bias is None else bias.contiguous(),
        None if coarse is None else coarse.contiguous(), y, frames, height, width, depth, channels, slope,
        LRELU=slope != 1, PRECISION=precision(weight.dtype), BY=bm // bx, BX=bx, **blocks,
    )  # fmt: skip
    return y


@triton.jit
def _layer(
    sin_rows, cos_rows, sin_columns, cos_columns, weight, bias, coarse, y,
    frames, height, width, depth, channels, slope,
    LRELU: tl.constexpr, PRECISION: tl.constexpr,
    BY: tl.constexpr, BX: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    across = tl.cdiv(channels, BN)
    wide = tl.cdiv(width, BX)
    tall = tl.cdiv(height, BY)
    o = tl.program_id(0) % across * BN + tl.arange(0, BN)
    tile = tl.program_id(0) // across
    frame = (tile // (wide * tall)).to(tl.int64)
    b = frame // frames
    top = tile // wide % tall * BY
    left = tile % wide * BX
    i = top + tl.arange(0, BY)
    j = left + tl.arange(0, BX)
    k = tl.arange(0, BK)
    of_rows = (frame * height + i)[:, None] * depth + k[None, :]
    of_columns = (b * width + j)[:, None] * depth + k[None, :]
    of_sines = weight + 2 * b * depth * channels + k[:, None] * channels + o[None, :]
    of_cosines = of_sines + depth * channels
    total = tl.zeros((BY * BX, BN), tl.float32)
    for start in range(0, depth, BK):
        known = start + k < depth
        row_known = (i < height)[:, None] & known[None, :]
        column_known = (j < width)[:, None] & known[None, :]
        sin_y = tl.load(sin_rows + of_rows + start, mask=row_known, other=0.0)[:, None, :]
        cos_y = tl.load(cos_rows + of_rows + start, mask=row_known, other=0.0)[:, None, :]
        sin_x = tl.load(sin_columns + of_columns + start, mask=column_known, other=0.0)[None, :, :]
        cos_x = tl.load(cos_columns + of_columns + start, mask=column_known, other=0.0)[None, :, :]
        weight_known = known[:, None] & (o < channels)[None, :]
        of_sin = tl.load(of_sines, mask=weight_known, other=0.0)
        of_cos = tl.load(of_cosines, mask=weight_known, other=0.0)
        sin = tl.reshape(sin_y * cos_x + cos_y * sin_x, (BY * BX, BK)).to(of_sin.dtype)
        cos = tl.reshape(cos_y * cos_x - sin_y * sin_x, (BY * BX, BK)).to(of_sin.dtype)
        total = tl.dot(sin, of_sin, total, input_precision=PRECISION)
        total = tl.dot(cos, of_cos, total, input_precision=PRECISION)
        of_sines += BK * channels
        of_cosines += BK * channels
    pixel = tl.arange(0, BY * BX)
    i_of = top + pixel // BX
    j_of = left + pixel % BX
    inside = ((i_of < height) & (j_of < width))[:, None] & (o < channels)[None, :]
    if bias is not None:
        total += tl.load(bias + o, mask=o < channels, other=0.0).to(tl.float32)[None, :]
    if coarse is not None:
        at = (frame * (height // 2) + i_of // 2) * (width // 2) + j_of // 2
        total += tl.load(coarse + at[:, None] * channels + o[None, :], mask=inside, other=0.0).to(tl.float32)
    if LRELU:
        total = tl.where(total > 0, total, total * slope)
    at = (frame * height + i_of) * width + j_of
    tl.store(y + at[:, None] * channels + o[None, :], total.to(y.dtype.element_ty), mask=inside)


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
    """Gradients of coarse (empty without one), origin, down, right, weight and bias, from those of y."""
    of_coarse = y.new_empty(0 if coarse is None else coarse.shape)
    of_weight = weight.new_zeros(weight.shape, dtype=torch.float32)
    of_origin, of_down, of_right = (torch.zeros_like(x) for x in (origin, down, right))
    if y.numel() == 0 or origin.numel() == 0:
        return of_coarse, of_origin, of_down, of_right, of_weight.to(weight.dtype), y.new_zeros(y.shape[-1])
    if coarse is None:
        before, of_bias = before_lrelu(gradient.flatten(1, 3), y.flatten(1, 3), slope)
        before = before.view(y.shape)
    else:
        before, of_bias = _before_doubling(gradient.contiguous(), y.contiguous(), slope, of_coarse)
    i = torch.arange(height, device=y.device, dtype=torch.float32)[:, None]
    for b, t in pieces(origin.shape[0], origin.shape[1], height * width * weight.shape[1], CHUNK):
        tables = _tables(origin[b, t], down[b], right[b], height, width)
        rows = before[b, t].flatten(1, 3)
        embedding = _embedding(tables, weight.dtype)
        of_weight[b] += product_over_rows(embedding, rows)
        sums, moments = _phase_sums(torch.bmm(rows, weight[b].mT, out=embedding), tables)  # [b, t, height, d]
        of_origin[b, t] = sums.sum(dim=2)
        of_down[b] += (sums.sum(dim=1) * i).sum(dim=1)
        of_right[b] += moments.sum(dim=(1, 2))
    return of_coarse, of_origin, of_down, of_right, of_weight.to(weight.dtype), of_bias


def _before_doubling(gradient: Tensor, y: Tensor, slope: float, of_coarse: Tensor) -> tuple[Tensor, Tensor]:
    """`before_lrelu` of features `[B, T, H, W, C]`, which fills the gradient of coarse as well."""
    n, frames, h, w, channels = of_coarse.shape
    before = gradient if slope == 1 else torch.empty_like(y)
    bc = power(channels, 8, 64)
    bm = 1024 // bc  # of 4 pixels each
    across, tiles = triton.cdiv(channels, bc), triton.cdiv(h * w, bm)
    steps = max(1, min(tiles, n * frames * across * tiles // PROGRAMS))
    parts = triton.cdiv(tiles, steps)
    of_bias = y.new_empty(n * frames * parts, channels, dtype=torch.float32)
    launch(
        _gather, n * frames * parts * across,
        gradient, y, before, of_coarse, of_bias, h, w, channels, steps, parts, slope, LRELU=slope != 1, BM=bm, BC=bc,
    )  # fmt: skip
    return before, of_bias.sum(dim=0).to(y.dtype)


@triton.jit
def _gather(
    gradient, y, before, of_coarse, of_bias, h, w, channels, steps, parts, slope,
    LRELU: tl.constexpr, BM: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    across = tl.cdiv(channels, BC)
    part = (tl.program_id(0) // across).to(tl.int64)  # of all frames
    frame = part // parts
    c = tl.program_id(0) % across * BC + tl.arange(0, BC)
    for_bias = tl.zeros((BM, BC), tl.float32)
    for step in range(0, steps):
        pixel = (tl.program_id(0) // across % parts * steps + step) * BM + tl.arange(0, BM)
        inside = (pixel < h * w)[:, None] & (c < channels)[None, :]
        top = frame * 2 * h + pixel // w * 2
        left = pixel % w * 2
        total = tl.zeros((BM, BC), tl.float32)
        for corner in tl.static_range(0, 4):
            at = ((top + corner // 2) * 2 * w + left + corner % 2)[:, None] * channels + c[None, :]
            own = tl.load(gradient + at, mask=inside, other=0.0).to(tl.float32)
            if LRELU:
                own = tl.where(tl.load(y + at, mask=inside, other=0.0).to(tl.float32) > 0, own, own * slope)
                tl.store(before + at, own.to(before.dtype.element_ty), mask=inside)
            total += own
        at = (frame * h * w + pixel)[:, None] * channels + c[None, :]
        tl.store(of_coarse + at, total.to(of_coarse.dtype.element_ty), mask=inside)
        for_bias += total
    tl.store(of_bias + part * channels + c, tl.sum(for_bias, axis=0), mask=c < channels)


def _embedding(tables: _Tables, dtype: torch.dtype) -> Tensor:
    """[sin ‖ cos] of all points, `[B, T·H·W, 2d]`."""
    (n, frames, height, depth), width = tables.sin_rows.shape, tables.sin_columns.shape[1]
    embedding = torch.empty(n, frames * height * width, 2 * depth, dtype=dtype, device=tables.sin_rows.device)
    bk = power(depth, 8, 64)
    bj = min(power(width, 1, 64), 2048 // bk)
    programs = n * frames * height * triton.cdiv(width, bj) * triton.cdiv(depth, bk)
    launch(_embed, programs, *tables, embedding, frames, height, width, depth, BJ=bj, BK=bk)
    return embedding


@triton.jit
def _embed(
    sin_rows, cos_rows, sin_columns, cos_columns, embedding, frames, height, width, depth,
    BJ: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    deep = tl.cdiv(depth, BK)
    wide = tl.cdiv(width, BJ)
    k = tl.program_id(0) % deep * BK + tl.arange(0, BK)
    j = tl.program_id(0) // deep % wide * BJ + tl.arange(0, BJ)
    row = (tl.program_id(0) // (deep * wide)).to(tl.int64)  # of all frames
    inside = (j < width)[:, None] & (k < depth)[None, :]
    sin_y = tl.load(sin_rows + row * depth + k, mask=k < depth, other=0.0)[None, :]
    cos_y = tl.load(cos_rows + row * depth + k, mask=k < depth, other=0.0)[None, :]
    at = (row // height // frames * width + j)[:, None] * depth + k[None, :]
    sin_x = tl.load(sin_columns + at, mask=inside, other=0.0)
    cos_x = tl.load(cos_columns + at, mask=inside, other=0.0)
    at = (row * width + j)[:, None] * 2 * depth + k[None, :]
    tl.store(embedding + at, (sin_y * cos_x + cos_y * sin_x).to(embedding.dtype.element_ty), mask=inside)
    tl.store(embedding + at + depth, (cos_y * cos_x - sin_y * sin_x).to(embedding.dtype.element_ty), mask=inside)


def _phase_sums(of_embedding: Tensor, tables: _Tables) -> tuple[Tensor, Tensor]:
    """(Σ_j g, Σ_j j·g), `[B, T, H, d]`, of the phases' gradient g, from the embedding's, `[B, T·H·W, 2d]`."""
    (n, frames, height, depth), width = tables.sin_rows.shape, tables.sin_columns.shape[1]
    sums, moments = (torch.empty_like(tables.sin_rows) for _ in range(2))
    bk = power(depth, 8, 64)
    launch(
        _reduce, n * frames * height * triton.cdiv(depth, bk),
        of_embedding, *tables, sums, moments, frames, height, width, depth,
        BJ=min(power(width, 1, 64), 1024 // bk), BK=bk,
    )  # fmt: skip
    return sums, moments


@triton.jit
def _reduce(
    of_embedding, sin_rows, cos_rows, sin_columns, cos_columns, sums, moments, frames, height, width, depth,
    BJ: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    deep = tl.cdiv(depth, BK)
    k = tl.program_id(0) % deep * BK + tl.arange(0, BK)
    row = (tl.program_id(0) // deep).to(tl.int64)  # of all frames
    sin_y = tl.load(sin_rows + row * depth + k, mask=k < depth, other=0.0)[None, :]
    cos_y = tl.load(cos_rows + row * depth + k, mask=k < depth, other=0.0)[None, :]
    total = tl.zeros((BJ, BK), tl.float32)
    moment = tl.zeros((BJ, BK), tl.float32)
    for start in range(0, width, BJ):
        j = start + tl.arange(0, BJ)
        inside = (j < width)[:, None] & (k < depth)[None, :]
        at = (row // height // frames * width + j)[:, None] * depth + k[None, :]
        sin_x = tl.load(sin_columns + at, mask=inside, other=0.0)
        cos_x = tl.load(cos_columns + at, mask=inside, other=0.0)
        at = (row * width + j)[:, None] * 2 * depth + k[None, :]
        of_sin = tl.load(of_embedding + at, mask=inside, other=0.0).to(tl.float32)
        of_cos = tl.load(of_embedding + at + depth, mask=inside, other=0.0).to(tl.float32)
        of_phase = of_sin * (cos_y * cos_x - sin_y * sin_x) - of_cos * (sin_y * cos_x + cos_y * sin_x)
        total += of_phase
        moment += of_phase * j.to(tl.float32)[:, None]
    tl.store(sums + row * depth + k, tl.sum(total, axis=0), mask=k < depth)
    tl.store(moments + row * depth + k, tl.sum(moment, axis=0), mask=k < depth)
