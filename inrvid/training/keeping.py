"""Which checkpoints a run has, keeps, resumes from and sets aside.

Only what is named and made like a checkpoint counts: copies, links and other people's folders are left alone. Nothing
is deleted because of names alone: the checkpoints kept instead were found intact. Deleting begins with a rename, so
that a kill leaves no partial checkpoint under a checkpoint's name.
"""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from .checkpoint import NAME, Damaged, clips_of, damage, is_checkpoint, read_manifest, stamp

Say = Callable[[str], None]

BEING_WRITTEN, REPLACED, DELETED = ".", ".replaced-", ".deleted-"
"""Prefixes, before a checkpoint's name, of what a killed process may leave behind."""

_known_intact: dict[Path, tuple[int, ...]] = {}
"""Checkpoints whose hashes this process has compared, with their stamps at the time: hashing them again is slow."""


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, damaged ones too, oldest first."""
    return sorted((path for path in folder.glob("*") if is_checkpoint(path)), key=clips_of)


def is_intact(path: Path) -> bool:
    """Whether a checkpoint is as it was written."""
    try:
        now = stamp(path)
    except OSError:
        return False
    if _known_intact.get(path) == now:
        return True
    if damage(path) is not None:
        return False
    _known_intact[path] = now
    return True


def newest_intact(folder: Path, say: Say = lambda line: None) -> Path | None:
    """The newest intact checkpoint of a run; `say` is told what is wrong with those that are newer."""
    for path in reversed(checkpoints(folder)):
        problem = damage(path)
        if problem is None:
            return path
        say(f"{path}: {problem}: it is not used; the one before it is")
    return None


def prune(
    folder: Path,
    *,
    keep_last: int,
    keep_every: int | None = None,
    keep_best: str | None = None,
    highest: bool = False,
    written: Path | None = None,
) -> None:
    """Delete all checkpoints except `written`, the last `keep_last` intact ones, the first intact one from each
    multiple of `keep_every` clips on, and the intact one with the lowest score `keep_best` (if `highest`, the highest).
    Damaged ones are deleted only if at least `keep_last` intact ones are newer."""
    if written is not None:
        _known_intact[written] = stamp(written)  # hashed while it was written
    paths = checkpoints(folder)
    whole = [path for path in paths if is_intact(path)]
    kept = {*whole[-keep_last:], *([] if written is None else [written])}
    scored = {path: _badness(path, keep_best, highest) for path in whole} if keep_best else {}
    if scored and min(scored.values()) < math.inf:
        kept.add(min(scored, key=lambda path: scored[path]))
    periods: set[int] = set()
    for path in whole:
        period = clips_of(path) // keep_every if keep_every else 0
        if period and period not in periods:
            periods.add(period)
            kept.add(path)
    for path in paths:
        newer = sum(clips_of(other) > clips_of(path) for other in whole)
        if path not in kept and newer >= keep_last:
            delete(path)


def delete(path: Path) -> None:
    hidden = path.with_name(f"{DELETED}{path.name}")
    shutil.rmtree(hidden, ignore_errors=True)
    path.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def recover(folder: Path) -> None:
    """Tidy up after a killed process: bring back what it was replacing, remove what it was writing or deleting."""
    for path in _left(folder, REPLACED):
        target = path.with_name(path.name.removeprefix(REPLACED))
        if target.exists():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.rename(target)
    for start in (BEING_WRITTEN, DELETED):
        for path in _left(folder, start):
            shutil.rmtree(path, ignore_errors=True)


def _left(folder: Path, start: str) -> list[Path]:
    return [path for path in folder.glob(f"{start}*") if re.fullmatch(re.escape(start) + NAME, path.name)]


def set_aside(folder: Path, after: int, metrics: Path) -> Path | None:
    """Move the checkpoints of more than `after` clips, which training is about to overtake along another path, into a
    folder of their own, with a copy of the metrics; returns that folder, or None if there are none."""
    newer = [path for path in checkpoints(folder) if clips_of(path) > after]
    if not newer:
        return None
    number = 1
    while (target := folder / f"set-aside-{number:03d}").exists():
        number += 1
    target.mkdir()
    if metrics.is_file():
        shutil.copyfile(metrics, target / metrics.name)
    for path in newer:
        path.rename(target / path.name)
    return target


def _badness(path: Path, name: str, highest: bool) -> float:
    """The score, negated if the highest is best; infinite if it is not known."""
    try:
        score = read_manifest(path).scores.get(name)
    except Damaged:
        score = None
    return math.inf if score is None else -score if highest else score
