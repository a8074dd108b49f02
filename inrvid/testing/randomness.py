"""Whether something reads or changes the global random states, of torch, numpy and Python."""

from __future__ import annotations

import contextlib
import pickle
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .checks import require


def check_own_randomness(make: Callable[[], Any], what: str) -> None:
    """Raises Failed unless `make` gives the same under two global seeds, and leaves the global states as they are.

    Args:
        make: gives a tensor, or a mapping or sequence of such.
        what: what `make` does, for the message: 'building it'.
    """
    results = []
    for seed in (1, 2):
        with seeded(seed):
            before = _states()
            results.append(make())
            changed = [name for name, state in _states().items() if state != before[name]]
        require(not changed, f"{what} changes the global random state of {' and '.join(changed)}")
    require(_same(*results), f"{what} depends on the global random state: draw from `Draws`, or a generator of its own")


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, all global random states are those of the seed; afterwards as they were."""
    saved = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.random.default_generator.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(saved[0])
        np.random.set_state(saved[1])
        random.setstate(saved[2])


def _states() -> dict[str, bytes]:
    numpy_state = pickle.dumps(np.random.get_state())
    python_state = pickle.dumps(random.getstate())
    return {"torch": torch.get_rng_state().numpy().tobytes(), "numpy": numpy_state, "random": python_state}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    return torch.equal(a, b) if isinstance(a, Tensor) else bool(np.array_equal(a, b))
