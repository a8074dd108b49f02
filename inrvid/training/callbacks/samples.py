"""Sample videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from ..interval import Interval
from ..processes.stopping import AskedToStop
from ..run import Run
from ..samples import REAL, write_real, write_samples
from .base import Callback


class Samples(Callback):
    """Writes to samples/: real clips once; generated ones untrained, every `train.sample_kclips`, and at the end."""

    def on_start(self, run: Run) -> None:
        if not run.is_main:
            return
        folder = run.run_dir / "samples"
        if not run.step or not (folder / f"{REAL}.mp4").exists():  # a run resumed from another's checkpoint has none
            count, seed = run.recipe.train.sample_videos, run.recipe.seed
            _if_possible(run, "samples of the data", lambda: write_real(run.dataset, folder, count=count, seed=seed))
        if not run.step:
            self._write(run)

    def on_enter(self, run: Run) -> None:
        self._due = Interval(run.recipe.train.sample_kclips, run.clips)

    def on_step(self, run: Run, values: Mapping[str, Tensor | float]) -> None:
        if (self._due.passed(run.clips) or run.clips >= run.end) and run.is_main:
            self._write(run)

    def on_end(self, run: Run) -> None:
        if run.is_main and not any((run.run_dir / "samples").glob(f"{_name(run)}*")):  # a callback asked for the end
            self._write(run)

    def _write(self, run: Run) -> None:
        folder, count = run.run_dir / "samples", run.recipe.train.sample_videos
        _if_possible(
            run,
            f"samples at {run.clips} clips",
            lambda: write_samples(run.generator, folder, _name(run), count=count, check=run.stopper.check),
        )


def _if_possible(run: Run, what: str, write: Callable[[], None]) -> None:
    """Call `write`. A failing disk costs `what`, not the training; a signal does not wait for it."""
    try:
        write()
    except OSError as error:
        run.say(f"warning: no {what}: {error}; the training continues")
    except AskedToStop as error:
        run.say(f"warning: no {what}: {error}")


def _name(run: Run) -> str:
    return f"clips-{run.clips:012d}"
