from __future__ import annotations

import pytest

from inrvid import InrvidError
from inrvid.training.processes.sharing import shares


@pytest.mark.parametrize(
    ("batch", "group", "processes", "micro"),
    [(16, 4, 2, None), (16, 4, 1, 4), (16, 4, 2, 4), (24, 4, 3, 4), (8, 1, 2, 2)],
)
def test_groups_are_whole(batch, group, processes, micro):
    parts = shares(batch, group, processes, micro)
    assert len(parts) == processes
    assert sorted(i for process in parts for part in process for i in part) == list(range(batch))
    for part in (part for process in parts for part in process):
        assert len(part) == (micro or batch // processes)
        count = len(part) // group  # number of groups within the part
        for j, sample in enumerate(part):
            together = {part[k] for k in range(len(part)) if k % count == j % count}
            everywhere = {i for i in range(batch) if i % (batch // group) == sample % (batch // group)}
            assert together == everywhere


def test_one_part_needs_no_groups():
    assert shares(10, 4, 1, None) == [[list(range(10))]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 4, 3, None), "cannot be shared evenly by 3 processes"),
        ((8, 4, 1, 3), "micro_batch: 3 does not divide"),
        ((8, 4, 4, None), "must be a multiple of 16"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(InrvidError, match=message):
        shares(*arguments)
