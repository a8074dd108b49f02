"""Trouble in a run that nobody watches: counted, logged, and reported once, with what to try.

It is judged from the means that are logged anyway, so that nothing waits for the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

CERTAIN = 0.97
"""Mean sign of D's logits beyond which D is certain of all real and generated clips, so that G learns nothing."""

PATIENCE = 5
"""Logs in a row for which a condition must hold before it is reported."""

STARVED = 1 / 3
"""Fraction of the time spent waiting for data beyond which it is reported."""

PENALTY = "gradient penalty (the loss's r1_gamma, penalty_gamma, gamma or penalty)"
"""As losses call the weight of theirs, in what is advised."""

STRONG_AUGMENT = 0.85
MEMORY_GROWTH = 1.2


class Health:
    """Fed with each log's values; `say` is called once for each kind of trouble."""

    def __init__(self, say: Callable[[str], None]):
        self._say = say
        self._told: set[str] = set()
        self._streaks: dict[str, int] = {}
        self._memory: float | None = None

    def diverged(self, values: Mapping[str, float]) -> list[str]:
        """The losses that are no longer finite."""
        return [name for name, value in values.items() if name.startswith("loss/") and not math.isfinite(value)]

    def observe(self, values: Mapping[str, float]) -> None:
        """Look for trouble in the means since the last log."""
        count = sum(value for name, value in values.items() if name.startswith("nonfinite/"))
        if count > 0:
            self._tell(
                "nonfinite",
                "some gradients were not finite: NaN became 0, ±inf ±1e5; if this goes on, lower optim.*.lr",
            )
        real = [value for name, value in values.items() if name.startswith("sign/real")]
        fake = [value for name, value in values.items() if name.startswith("sign/fake")]
        certain = bool(real) and min(real) > CERTAIN and max(fake) < -CERTAIN
        self._lasting(
            "certain", certain,
            "the discriminator is certain of every clip, so that the generator learns little: try augment.type=ada, a "
            f"larger {PENALTY}, a smaller optim.discriminator.lr, or more data",
        )  # fmt: skip
        self._lasting(
            "augment", values.get("augment/p", 0.0) > STRONG_AUGMENT,
            "augmentation is at its strongest (augment/p near 1) and may leak into the videos: more data, or a "
            f"larger {PENALTY}",
        )  # fmt: skip
        self._lasting(
            "starved", values.get("seconds/data", 0.0) > STARVED * values.get("seconds/step", math.inf),
            "training waits for data more than a third of the time: raise data.workers, or convert the videos once "
            "(inrvid data convert)",
        )  # fmt: skip
        self._watch_memory(values.get("memory/gib"))

    def _watch_memory(self, gib: float | None) -> None:
        if gib is None:
            return
        self._memory = gib if self._memory is None else self._memory
        if gib > MEMORY_GROWTH * self._memory + 0.5:
            self._tell("memory", f"the GPU's memory in use has grown from {self._memory:.1f} to {gib:.1f} GiB")

    def _lasting(self, kind: str, holds: bool, message: str) -> None:
        self._streaks[kind] = self._streaks.get(kind, 0) + 1 if holds else 0
        if self._streaks[kind] >= PATIENCE:
            self._tell(kind, message)

    def _tell(self, kind: str, message: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._say(f"warning: {message}")
