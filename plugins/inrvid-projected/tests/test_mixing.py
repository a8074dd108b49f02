"""Random mixing: fixed by its seed, of the size of what it mixes, and what its definition says."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from inrvid_projected.mixing import RandomMixing

WIDTHS, LATERAL, OUT = (3, 5, 7, 9), (16, 32, 48, 64), (8, 16, 32, 48)


def maps(scale=1.0):
    numbers = torch.Generator().manual_seed(1)
    sides = (16, 8, 4, 2)
    return [scale * torch.randn(2, c, s, s, generator=numbers) for c, s in zip(WIDTHS, sides, strict=True)]


def test_by_its_definition():
    """Added, enlarged, mixed: in the paper's order."""
    mixing = RandomMixing(WIDTHS, LATERAL, OUT, seed=4)
    found, above = mixing(maps()), None
    for i, x in reversed([*enumerate(maps())]):
        x = F.conv2d(x, mixing.get_buffer(f"channels_{i}"))
        x = x if above is None else x + above
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        above = F.conv2d(x, mixing.get_buffer(f"scales_{i}"))
        assert above.shape[1:] == (OUT[i], 2 * 16 // 2**i, 2 * 16 // 2**i)
        torch.testing.assert_close(found[i], above, rtol=1e-4, atol=1e-5)


def test_a_finer_scale_sees_the_coarser_ones():
    mixing = RandomMixing(WIDTHS, LATERAL, OUT, seed=4)
    changed = maps()
    changed[1] = torch.zeros_like(changed[1])
    differs = [not torch.equal(a, b) for a, b in zip(mixing(maps()), mixing(changed), strict=True)]
    assert differs == [True, True, False, False]


def test_weights_are_of_the_seed_and_saved():
    torch.manual_seed(0)
    first = RandomMixing(WIDTHS, LATERAL, OUT, seed=4).state_dict()
    torch.manual_seed(1)
    again = RandomMixing(WIDTHS, LATERAL, OUT, seed=4).state_dict()
    other = RandomMixing(WIDTHS, LATERAL, OUT, seed=5).state_dict()
    assert len(first) == 8
    assert all(torch.equal(first[name], again[name]) and not torch.equal(first[name], other[name]) for name in first)
    assert not list(RandomMixing(WIDTHS, LATERAL, OUT, seed=4).parameters())
    std = first["scales_3"].std() * 64**0.5
    assert 0.95 < std < 1.05
