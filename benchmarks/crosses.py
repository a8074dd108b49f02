"""The table of crosses: every generator with every motion and discriminator, trained alike and scored alike.

`python -m benchmarks.crosses -o DIR` is `python -m benchmarks.trainings crosses -o DIR`: resumable, on one core or with
`--gpu`. `trainings/crosses.yaml` says what is trained; scores are of frames 0–16, which every training sees, of 16–32,
and of 112–128, which none does.
"""

from __future__ import annotations

import sys

from .trainings.__main__ import main

if __name__ == "__main__":
    sys.exit(main("crosses", "python -m benchmarks.crosses"))
