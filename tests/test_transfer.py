from __future__ import annotations

import pytest
import torch

from inrvid.transfer import to_device

CPU = torch.device("cpu")


def test_stays_where_it_is():
    x = torch.rand(3)
    assert to_device(x, CPU) is x


def test_becomes_of_the_dtype():
    x = torch.rand(3, dtype=torch.float64)
    assert to_device(x, torch.device("meta"), torch.float32).dtype == torch.float32
    assert torch.equal(to_device(x, CPU, torch.float32), x.float())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_neither_way_is_read_too_early():
    """Behind work that keeps the device busy; back on the host, the values must have arrived."""
    x, busy = torch.rand(1 << 20), torch.rand(4096, 4096, device="cuda")
    for _ in range(50):
        busy = busy @ busy
    there = to_device(x, busy.device)
    assert torch.equal(to_device(there, CPU), x)
