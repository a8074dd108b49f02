"""A run's batches, on its device; loader workers that die are replaced."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Sequence

import torch

from ..data.clips import Clips, loader
from ..errors import InrvidError
from .processes.surroundings import loader_trouble
from .run import Run
from .step import Batch

MOST_DEATHS = 5
"""Loader workers that may die in a row, with no batch in between."""


def batches(run: Run, samples: Sequence[Sequence[int]]) -> Generator[list[Batch], None, None]:
    """Yield the micro-batches of each step from `run.step` on. A loader worker that dies is replaced.

    Args:
        samples: indices in the global batch of this process's samples, by micro-batch.

    Raises:
        InrvidError: a limit of the machine is reached, or the data cannot be read.
    """
    deaths = 0
    while True:
        try:
            for batch in _loaded(run, samples):
                yield _on_device(run, samples, batch)
                deaths = 0
        except (RuntimeError, OSError) as error:
            if (trouble := loader_trouble(error)) is not None:
                raise InrvidError(trouble) from None
            deaths += 1
            if "DataLoader worker" not in str(error) or deaths > MOST_DEATHS:
                raise
            run.say(f"warning: a loader worker died and is replaced ({str(error).splitlines()[0]})")


def _loaded(run: Run, samples: Sequence[Sequence[int]]) -> Iterator[dict[str, torch.Tensor]]:
    return loader(
        Clips(run.dataset, run.training.sampler, run.training.seed),
        list(itertools.chain(*samples)),
        start_step=run.step,
        workers=run.recipe.data.workers,
        num_processes=run.sharing_cpus,
        pin_memory=run.accelerator.device.type == "cuda",
    )


def _on_device(run: Run, samples: Sequence[Sequence[int]], batch: dict[str, torch.Tensor]) -> list[Batch]:
    device, size = run.accelerator.device, len(samples[0])
    frames, t, label = (batch[key].to(device, non_blocking=True) for key in ("frames", "t", "label"))
    label = label if run.recipe.generator.label_dim else label[:, :0]
    parts = zip(frames.split(size), t.split(size), label.split(size), samples, strict=True)
    return [Batch(f.float() / 127.5 - 1, times, classes, own) for f, times, classes, own in parts]
