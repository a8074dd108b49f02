"""Sequences of noise."""

from __future__ import annotations

import torch

from inrvid.motion.noise import SeededNoise
from inrvid.random import SampleKey


def test_every_part_of_a_key_and_the_purpose_are_another_sequence():
    keys = [SampleKey(0, 0, 0), SampleKey(1, 0, 0), SampleKey(2**32, 0, 0), SampleKey(0, 1, 0), SampleKey(0, 0, 1)]
    at = torch.zeros(1, 1, dtype=torch.int64)
    rows = [SeededNoise.of_keys([key], "motion", 4).at(at) for key in keys]
    rows.append(SeededNoise.of_keys(keys[:1], "other", 4).at(at))
    assert len({tuple(row.flatten().tolist()) for row in rows}) == 6
