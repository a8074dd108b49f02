"""A search as a file, from which it resumes exactly: what is searched for, Adam's moments, the number of steps done."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ...evaluation.detectors.weights import tensors_digest
from ...files import write_bytes
from ...generators.base import VideoGenerator
from ...weights import WeightsError, read_metadata, read_weights, weights_file

SECONDS = 10.0
"""Between two saves of a search."""

BETAS = (0.9, 0.999)

MOMENTS = ("exp_avg", "exp_avg_sq")
"""Names of the optimizer's tensors."""


def digest(generator: VideoGenerator, frames: Tensor, t: Tensor, said: Sequence[str]) -> str:
    """Digest of all that a search depends on: two searches with the same digest are the same."""
    parts = [tensors_digest(generator.state_dict()), tensors_digest({"frames": frames, "t": t})]
    text = json.dumps([generator.config, *parts, *said], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class State:
    """Leaves of the graph and their optimizer.

    Args:
        leaves: what is moved, by name.
        path: file in which the search is kept; None: in none.
        digest: of the search.
    """

    def __init__(self, leaves: Mapping[str, Tensor], path: Path | None, digest: str):
        self.leaves, self.path, self.digest = dict(leaves), path, digest
        self.optimizer = torch.optim.Adam(self.leaves.values(), betas=BETAS)
        self._saved = time.monotonic()

    def resume(self) -> int:
        """Restore the leaves from the file; returns the number of steps done. 0 if there is no file, or it is not a
        state of this search."""
        if self.path is None or not self.path.exists():
            return 0
        try:
            said, tensors = read_metadata(self.path), read_weights(self.path)
            if said.get("digest") != self.digest:
                return 0
            steps = int(said["steps"])
            shapes = {name: x.shape for name, x in self._tensors().items()}
            if steps < 1 or shapes != {name: x.shape for name, x in tensors.items() if name in shapes}:
                return 0
        except (WeightsError, KeyError, ValueError):
            return 0
        self._restore(tensors, steps)
        return steps

    def save(self, steps: int, *, now: bool = False) -> None:
        """Write the file if the last save is long enough ago, or if `now`. Raises OSError."""
        if self.path is None or not (now or time.monotonic() - self._saved >= SECONDS):
            return
        tensors = {name: x.detach().cpu().contiguous() for name, x in self._tensors().items()}
        write_bytes(self.path, weights_file(tensors, {"digest": self.digest, "steps": str(steps)}))
        self._saved = time.monotonic()

    def _tensors(self) -> dict[str, Tensor]:
        """The leaves, and their moments: 0 before the first step."""
        found: dict[str, Tensor] = {}
        for name, leaf in self.leaves.items():
            moments = self.optimizer.state.get(leaf, {})
            found |= {name: leaf} | {f"{name}.{m}": moments.get(m, torch.zeros_like(leaf)) for m in MOMENTS}
        return found

    @torch.no_grad()
    def _restore(self, tensors: Mapping[str, Tensor], steps: int) -> None:
        for name, leaf in self.leaves.items():
            leaf.copy_(tensors[name])
            moments = {m: tensors[f"{name}.{m}"].to(leaf.device) for m in MOMENTS}
            self.optimizer.state[leaf] = {"step": torch.tensor(float(steps)), **moments}
