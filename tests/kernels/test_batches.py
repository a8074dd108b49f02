from __future__ import annotations

import pytest
import torch

from inrvid.kernels import batches, fmm, inr_layer, pointwise, strided, to_rgb

from .cases import CASES
from .comparing import assert_near, exactly, on_path

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


@pytest.mark.parametrize("piece", [1, 200, 3000])
@pytest.mark.parametrize("case", [case for case in CASES if case.op.removesuffix("_backward") in IN_PIECES], ids=str)
def test_results_do_not_depend_on_the_pieces(case, piece, monkeypatch):
    monkeypatch.setattr(IN_PIECES[case.op.removesuffix("_backward")], "PIECE", piece)
    arguments = case.arguments(torch.float32)
    found, expected = (
        [x] if isinstance(x, torch.Tensor) else x
        for x in (on_path("cpu", getattr(torch.ops.inrvid, case.op), arguments), case.definition(*exactly(arguments)))
    )
    assert_near(found, expected, 1e-5)


def test_products_round_alike_for_any_number_of_videos():
    x, matrix = torch.randn(6, 300, 70), torch.randn(6, 70, 50)
    together, alone = torch.empty(6, 300, 50), torch.empty(6, 300, 50)
    batches.multiply(x, matrix, None, together)
    for i in range(6):
        batches.multiply(x[i : i + 1], matrix[i : i + 1], None, alone[i : i + 1])
    assert torch.equal(together, alone)
