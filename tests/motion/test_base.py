"""A head's code is looked at where a backbone takes it in."""

from __future__ import annotations

import pytest
import torch

from inrvid.errors import InrvidError
from inrvid.motion.base import MotionHead, code_of


class Head(MotionHead):
    width = 4

    def forward(self, state, w):
        return state


@pytest.mark.parametrize("shape", [(2, 4), (2, 3, 5), (2, 3, 4, 1)])
def test_codes_of_other_shapes_are_refused(shape):
    with pytest.raises(InrvidError, match=r"Head gives codes of the shape .*: expected \[B, T, width\], of width 4"):
        code_of(Head(), torch.zeros(shape), torch.zeros(2, 8))


def test_a_code_is_taken_as_it_is():
    state = torch.rand(2, 3, 4)
    assert code_of(Head(), state, torch.zeros(2, 8)) is state
