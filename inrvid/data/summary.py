"""A data set in a few lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Skipped, VideoDataset

NAMED = 10
"""How many skipped files are named."""


def summary_lines(dataset: VideoDataset) -> list[str]:
    """How many videos, frames, frame rates, sizes and classes; what is left out, and why."""
    records = dataset.records
    frames = sum(dataset.length(video) for video in range(len(dataset)))
    rate = "" if mixed_rates(dataset) else f" at {dataset.fps:g} fps"
    files = len({record.name for record in records})
    cut = "" if files == len(records) else f" cut into {counted(len(records), 'clip')}"
    lines = [
        f"{counted(files, 'video')}{cut}, {counted(frames, 'frame')}{rate}",
        f"frame rates: {_tally(f'{record.fps:.4g} fps' for record in records)}",
        f"sizes: {_tally(f'{record.width}×{record.height}' for record in records)}",
    ]
    if mixed_rates(dataset):
        lines[1] += "; mixed: set data.fps to bring them to one rate"
    lines += uneven_lines(dataset.uneven)
    if dataset.classes:
        lines.append(f"classes: {len(dataset.classes)} ({_some(dataset.classes)})")
    lines += left_out_lines(dataset.left_out, dataset.passed_over)
    return lines + skipped_lines(dataset.skipped, dataset.config.path or "PATH")


def mixed_rates(dataset: VideoDataset) -> bool:
    """Whether frames last for different lengths of time in different videos."""
    return dataset.config.fps is None and len({round(record.fps, 2) for record in dataset.records}) > 1


def uneven_lines(names: Sequence[str]) -> list[str]:
    """'frame rate varies: 1 video (phone.mp4): …'; nothing if there are none."""
    if not names:
        return []
    return [
        f"frame rate varies: {counted(len(names), 'video')} ({_some(names, 3)}): frames are taken as evenly spaced; "
        "data.fps, or --fps, resamples them in time"
    ]


def left_out_lines(left_out: Mapping[str, int], passed_over: Sequence[str] = ()) -> list[str]:
    """'left out: 3 files of other kinds (.heic)', 'left out: samples in … (runs/1)'; nothing if there are none."""
    lines = []
    if left_out:
        lines.append(f"left out: {counted(sum(left_out.values()), 'file')} of other kinds ({_some(list(left_out))})")
    if passed_over:
        folders = counted(len(passed_over), "folder")
        lines.append(f"left out: samples in {folders} of runs or models ({_some(passed_over, 3)})")
    return lines


def skipped_lines(skipped: Sequence[Skipped], path: str) -> list[str]:
    """'skipped: n' and the first of them with their reasons; nothing if there are none."""
    if not skipped:
        return []
    lines = [
        f"skipped: {counted(len(skipped), 'video')}",
        *(f"  {item.name}: {item.reason}" for item in skipped[:NAMED]),
    ]
    if len(skipped) > NAMED:
        lines.append(f"  and {len(skipped) - NAMED} more (inrvid data verify {path})")
    return lines


def counted(number: int, noun: str) -> str:
    """'1 video', '2 videos'."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tally(values: Iterable[str]) -> str:
    counts = Counter(values).most_common()
    if len(counts) == 1:
        return counts[0][0]
    return _some([f"{value} ({count})" for value, count in counts])


def _some(values: Sequence[str], most: int = 6) -> str:
    return ", ".join(values[:most]) + (f", … {len(values) - most} more" if len(values) > most else "")
