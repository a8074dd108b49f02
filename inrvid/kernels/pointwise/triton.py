"""The pointwise layer as a matrix product whose epilogue adds the bias and applies the leaky ReLU.

A program makes a block of rows × columns of one sample's result, walking along the inputs with several blocks of
both operands on their way. Programs that run at the same time share `GROUP` blocks of rows and all columns, so that
they find rows and weights in the L2 cache. The backward pass is one pass for the activation and the bias, and two
plain products.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..bias_act.triton import before_lrelu
from ..triton_common import launch, precision, product_blocks, product_over_rows

GROUP = 8


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None, slope: float) -> Tensor:
    """Rows x `[B, M, in]` times weight `[B, in, out]`, plus bias `[out]`, leaky ReLU → `[B, M, out]`."""
    x, weight = x.contiguous(), weight.contiguous()
    (n, rows, inner), columns = x.shape, weight.shape[2]
    y = x.new_empty(n, rows, columns)
    if y.numel() == 0:
        return y
    blocks = product_blocks(x.dtype, n, rows, columns)
    launch(
        _product, n * triton.cdiv(rows, blocks["BM"]) * triton.cdiv(columns, blocks["BN"]),
        x, weight, None if bias is None else bias.contiguous(), y, rows, inner, columns, slope,
        WHOLE=inner % blocks["BK"] == 0, LRELU=slope != 1, GROUP=GROUP, PRECISION=precision(x.dtype), **blocks,
    )  # fmt: skip
    return y


@triton.jit
def _product(
    x, weight, bias, y, rows, inner, columns, slope,
    WHOLE: tl.constexpr, LRELU: tl.constexpr, GROUP: tl.constexpr, PRECISION: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    down = tl.cdiv(rows, BM)
    across = tl.cdiv(columns, BN)
    b = (tl.program_id(0) // (down * across)).to(tl.int64)
    program = tl.program_id(0) % (down * across)
    group = program // (GROUP * across)
    size = tl.minimum(down - group * GROUP, GROUP)
    m = (group * GROUP + program % (GROUP * across) % size) * BM + tl.arange(0, BM)
    o = program % (GROUP * across) // size * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    row = (b * rows + m)[:, None]
    of_x = x + row * inner + k[None, :]
    of_weight = weight + b * inner * columns + k[:, None] * columns + o[None, :]
    total = tl.zeros((BM, BN), tl.float32)
    for start in range(0, inner, BK):
        if WHOLE:
            left = tl.load(of_x, mask=(m < rows)[:, None], other=0.0)
            right = tl.load(of_weight, mask=(o < columns)[None, :], other=0.0)
        else:
            known = start + k < inner
            left = tl.load(of_x, mask=(m < rows)[:, None] & known[None, :], other=0.0)
            right = tl.load(of_weight, mask=known[:, None] & (o < columns)[None, :], other=0.0)
        total = tl.dot(left, right, total, input_precision=PRECISION)
        of_x += BK
        of_weight += BK * columns
    if bias is not None:
        total += tl.load(bias + o, mask=o < columns, other=0.0).to(tl.float32)[None, :]
    if LRELU:
        total = tl.where(total > 0, total, total * slope)
    inside = (m < rows)[:, None] & (o < columns)[None, :]
    tl.store(y + row * columns + o[None, :], total.to(y.dtype.element_ty), mask=inside)


def pointwise_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, y: Tensor, slope: float, biased: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, weight and bias (empty without one), from those of y."""
    none = y.new_empty(0)
    before, of_bias = before_lrelu(gradient, y, slope) if biased or slope != 1 else (gradient, none)
    return torch.bmm(before, weight.mT), product_over_rows(x, before).to(y.dtype), of_bias if biased else none
