"""Things that happen at intervals of clips."""

from __future__ import annotations


class Interval:
    """Tells, once each time, that the number of clips has passed a multiple of `kclips` thousand."""

    def __init__(self, kclips: float, clips: int):
        self._length = kclips * 1000
        self._count = int(clips / self._length)

    def passed(self, clips: int) -> bool:
        count = int(clips / self._length)
        passed, self._count = count > self._count, count
        return passed
