"""What comes from the loader, as networks see it."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from inrvid.training.batches import _on_device


def test_levels_of_a_batch():
    run = SimpleNamespace(
        accelerator=SimpleNamespace(device=torch.device("cpu")),
        recipe=SimpleNamespace(generator=SimpleNamespace(label_dim=0)),
    )
    levels = torch.tensor([0, 255], dtype=torch.uint8).view(1, 2, 1, 1, 1).expand(1, 2, 3, 4, 4)
    (found,) = _on_device(run, [[0]], {"frames": levels, "t": torch.zeros(1, 2), "label": torch.zeros(1, 3)})
    assert found.frames.unique().tolist() == [-1, 1]
    assert found.label.shape == (1, 0)
