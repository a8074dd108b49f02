"""Which samples of the global batch each process, and each of its micro-batches, handles.

The minibatch standard deviation judges samples in groups: sample i of B belongs to group i mod (B/G). Groups are
assigned whole, so that they, and thus the gradients, are the same for any number of processes and any micro-batch.
"""

from __future__ import annotations

from ...errors import InrvidError


def shares(batch: int, group: int, processes: int, micro_batch: int | None) -> list[list[list[int]]]:
    """Sample indices by process and micro-batch.

    Args:
        batch: size of the global batch, B.
        group: samples that are judged together, G (at most).
        micro_batch: clips that a process handles at once; None: all of its share.

    Raises:
        InrvidError: the batch cannot be shared like that.
    """
    if batch % processes:
        raise InrvidError(f"train.batch_size: {batch} clips cannot be shared evenly by {processes} processes")
    share = batch // processes
    parts = processes * _micro_batches(share, micro_batch)
    if parts == 1:
        return [[list(range(batch))]]
    group = min(group, batch)
    if batch % (group * parts):
        raise InrvidError(
            f"train.batch_size: {batch} clips in {parts} parts ({processes} processes, micro-batches of "
            f"{batch // parts}): the discriminator judges {group} clips together, so that it must be a multiple of "
            f"{group * parts}"
        )
    residues = batch // group
    chosen = [range(residues * part // parts, residues * (part + 1) // parts) for part in range(parts)]
    samples = [[i for i in range(batch) if i % residues in own] for own in chosen]
    return [samples[p * parts // processes : (p + 1) * parts // processes] for p in range(processes)]


def _micro_batches(share: int, micro_batch: int | None) -> int:
    if micro_batch is None:
        return 1
    if share % micro_batch:
        raise InrvidError(f"train.micro_batch: {micro_batch} does not divide a process's share of {share} clips")
    return share // micro_batch
