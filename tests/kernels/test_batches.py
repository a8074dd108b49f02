from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inrvid.kernels import batches
from inrvid.kernels.fmm import cpu as fmm
from inrvid.kernels.inr_layer import cpu as inr_layer
from inrvid.kernels.pointwise import cpu as pointwise
from inrvid.kernels.strided import cpu as strided
from inrvid.kernels.to_rgb import cpu as to_rgb

from .cases import (
    CASES,
    _fmm,
    _inr_layer,
    _inr_layer_backward,
    _pointwise,
    _pointwise_backward,
    _to_rgb,
)
from .comparing import assert_near, exactly, on_backend

IN_PIECES = {"fmm_weight": fmm, "inr_layer": inr_layer, "pointwise": pointwise, "to_rgb": to_rgb, "correlate": strided}


@pytest.mark.parametrize("budget", [1, 7, 24, 100, 10**6])
def test_pieces_tell_videos_and_rows_apart(budget):
    """Every number once; several videos only with all their rows; no more numbers than allowed, but for one row."""
    seen = torch.zeros(5, 6, dtype=torch.int)
    for videos, rows in batches.pieces(5, 6, 4, budget):
        part = seen[videos, rows]
        assert len(part) == 1 or part.shape[1] == 6
        assert part.numel() * 4 <= budget or part.numel() == 1
        part += 1
    assert (seen == 1).all()


@pytest.mark.parametrize(("videos", "rows"), [(0, 3), (3, 0)])
def test_nothing_has_no_numbers(videos, rows):
    assert all(not torch.zeros(videos, rows)[piece].numel() for piece in batches.pieces(videos, rows, 4, 100))


@pytest.mark.parametrize("rows", [0, 1, 7, 24, 4096])
@pytest.mark.parametrize("dim", [0, 1])
def test_sums_of_rows_are_the_sums(rows, dim):
    x = torch.randn(*[3] * dim, rows, 5, dtype=torch.float64)
    torch.testing.assert_close(batches.sum_of_rows(x, dim), x.sum(dim=dim))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("rows", [7, 4096])
def test_sums_of_rows_that_nearly_cancel(rows, dtype):
    """Parts of up to 256 rows sum to more than float16 can hold, or bfloat16 tell from the next number."""
    x = torch.full((rows, 5), 400.0).to(dtype)
    x[rows // 2 :] *= -1
    x[0] = 1
    found = batches.sum_of_rows(x, 0, torch.float32)
    torch.testing.assert_close(found.double(), x.double().sum(dim=0), rtol=1e-6, atol=0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize("piece", [1, 200, 3000])
@pytest.mark.parametrize("case", [case for case in CASES if case.op.removesuffix("_backward") in IN_PIECES], ids=str)
def test_results_do_not_depend_on_the_pieces(case, piece, dtype, tolerance, monkeypatch):
    monkeypatch.setattr(IN_PIECES[case.op.removesuffix("_backward")], "PIECE", piece)
    arguments = case.arguments(dtype)
    found = on_backend("cpu", getattr(torch.ops.inrvid, case.op), arguments)
    assert_near(_results(found), _results(case.definition(*exactly(arguments))), tolerance)


ROUNDED_ALIKE = {
    "pointwise": _pointwise(6, 64, 64, 32),
    "pointwise_backward": _pointwise_backward(6, 64, 64, 32, slope=0.2),
    "inr_layer": _inr_layer(6, 2, 16, 16, 16, 32, coarse=True, speed=0.01),
    "inr_layer_backward": _inr_layer_backward(6, 2, 16, 16, 16, 32, coarse=True, speed=0.01),
    "to_rgb": _to_rgb(6, 2, 16, 16, 32),
    "fmm_weight": _fmm(6, 48, 64, 8),
}


@pytest.mark.parametrize("op", ROUNDED_ALIKE)
def test_a_video_is_rounded_alike_alone_and_among_others(op):
    """What belongs to a video, to the last bit: training by another number of processes goes the same way."""
    torch.manual_seed(0)
    arguments = ROUNDED_ALIKE[op](torch.float32)
    call = getattr(torch.ops.inrvid, op)
    for video in range(6):
        alone = [x[video : video + 1] if isinstance(x, Tensor) and len(x) == 6 else x for x in arguments]
        for own, all_ in zip(_results(call(*alone)), _results(call(*arguments)), strict=True):
            if len(all_) == 6:
                assert torch.equal(own[0], all_[video])


def _results(found):
    return [found] if isinstance(found, Tensor) else found
