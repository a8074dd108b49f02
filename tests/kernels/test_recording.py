"""Networks as they are recorded: other ways to the same frames."""

from __future__ import annotations

import pytest
import torch

from inrvid import build_generator
from inrvid.kernels.recording import as_program, is_recording
from inrvid.models.program import Program, arguments_of

from ..small import combinations, small_generator


@pytest.mark.parametrize(("generator", "motion"), combinations())
@torch.no_grad()
def test_a_generator_is_the_same_as_a_program(generator, motion):
    generator = build_generator(small_generator(generator, motion, label_dim=2), seed=3).eval()
    program, arguments = Program(generator, 0.7), arguments_of(generator, 3, 4, 2, seed=0)
    with as_program():
        frames = program(*arguments)
    expected = program(*arguments)
    assert frames.shape[:3] == (3, 4, 3)
    assert frames.shape[3:] == (generator.resolution, generator.resolution)
    assert (frames - expected).abs().max() < 1e-5 * expected.abs().max()


def test_it_ends_with_its_block():
    with as_program(), as_program():
        assert is_recording()
    with pytest.raises(RuntimeError), as_program():
        raise RuntimeError
    assert not is_recording()
