from __future__ import annotations

import torch

from inrvid.slerp import slerp

FIRST, SECOND = torch.randn(2, 200, 512, generator=torch.Generator().manual_seed(0)).unbind()


def test_ends_and_length():
    torch.testing.assert_close(slerp(FIRST, SECOND, 0.0), FIRST)
    torch.testing.assert_close(slerp(FIRST, SECOND, 1.0), SECOND)
    unit = [torch.nn.functional.normalize(x, dim=-1) for x in (FIRST, SECOND)]
    torch.testing.assert_close(slerp(*unit, 0.3).norm(dim=-1), torch.ones(200))
    angles = [(a * b).sum(-1).acos() for a, b in ((unit[0], slerp(*unit, 0.3)), unit)]
    torch.testing.assert_close(angles[0], 0.3 * angles[1], rtol=1e-3, atol=1e-3)


def test_what_lies_between_gaussians_has_their_variance():
    assert abs(float(slerp(FIRST, SECOND, 0.5).var()) - 1) < 0.02
    assert float(FIRST.lerp(SECOND, 0.5).var()) < 0.6


def test_equal_opposite_and_empty_vectors():
    torch.testing.assert_close(slerp(FIRST, FIRST, 0.5), FIRST)
    assert slerp(FIRST, -FIRST, 0.25).isfinite().all()
    assert slerp(torch.zeros(3, 4), torch.ones(3, 4), 0.5).isfinite().all()
    assert slerp(torch.empty(3, 0), torch.empty(3, 0), 0.5).shape == (3, 0)
