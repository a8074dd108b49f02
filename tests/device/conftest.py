"""What must hold on the device where users train: a GPU if there is one, else the CPU, so that the tests themselves are
tested everywhere. What makes sense on a GPU alone says so (`needs_gpu`)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ..training.conftest import TINY, tiny

__all__ = ["TINY", "needs_gpu", "tiny"]

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture(autouse=True)
def own_algorithms() -> Iterator[None]:
    """A trainer lets cuDNN search for the whole process; what comes after it compares bits."""
    before = torch.backends.cudnn.benchmark
    yield
    torch.backends.cudnn.benchmark = before


@pytest.fixture(scope="session")
def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
