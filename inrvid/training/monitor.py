"""What a person and a program see of a run: a progress display, metrics.jsonl, TensorBoard's files."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from accelerate import Accelerator
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ..files import naming, write_text
from ..recipe.schema import Recipe
from ..run_files import METRICS, lines
from ..text import is_text


class Monitor:
    """Context manager around the loop. On a terminal it shows a live line, elsewhere a line at each `log`.

    Without a `run_dir`, as in all processes but the main one, nothing is written.
    """

    def __init__(self, run_dir: Path | None, recipe: Recipe, *, clips: int, console: Console, accelerator: Accelerator):
        config = recipe.train
        self.console, self.config, self.recipe, self.accelerator = console, config, recipe, accelerator
        self.run_dir = run_dir
        self._metrics = None if run_dir is None else _continued(run_dir / METRICS, clips, self._say)
        self._tensorboard: Any = None
        self._progress = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("clips ({task.fields[frames]})"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[status]}"),
            console=console,
            disable=not console.is_terminal,
        )
        total = round(config.kclips * 1000)
        self._frames_a_clip = recipe.discriminator.frames
        self._task: TaskID = self._progress.add_task(
            "", total=total, completed=clips, frames=self._frames(clips), speed="", status=""
        )
        self._total, self._clips, self._start = total, clips, clips
        self._last_time, self._last_clips = time.monotonic(), clips

    def __enter__(self) -> Monitor:
        self._progress.start()
        if self.config.trackers and not self.accelerator.trackers:
            self.accelerator.init_trackers(f"inrvid-{self.recipe.name}", config=flattened(self.recipe.to_dict()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        if self._metrics is not None:
            self._metrics.close()
        if self._tensorboard is not None:
            self._tensorboard.close()

    def advance(self, clips: int) -> None:
        """Set the number of clips seen so far."""
        self._clips = clips
        self._progress.update(self._task, completed=min(clips, self._total), frames=self._frames(clips))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write the means since the last call, and the speed."""
        now = time.monotonic()
        speed = (self._clips - self._last_clips) / max(now - self._last_time, 1e-9)
        self._last_time, self._last_clips = now, self._clips
        self.accelerator.log({**values, "clips_per_second": speed}, step=self._clips)
        if self._metrics is None:
            return
        self._write(step, {"clips_per_second": round(speed, 3), **values})
        status = self._status(values)
        self._progress.update(self._task, speed=f"{speed:.1f} clips/s", status=status)
        if not self.console.is_terminal:
            remaining = max(0, self._total - self._clips) / max(speed, 1e-9)
            done = f"{min(self._clips, self._total)}/{self._total} clips ({self._frames(self._clips)})"
            line = f"{done}  {speed:.1f} clips/s  {_duration(remaining)} left  {status}"
            self.console.print(line, highlight=False, soft_wrap=True)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Write values other than means since the last `log`, as a line of their own."""
        self.accelerator.log(dict(values), step=self._clips)
        if self._metrics is not None:
            self._write(step, values)

    def _write(self, step: int, values: Mapping[str, float]) -> None:
        assert self._metrics is not None
        record = {"step": step, "clips": self._clips, "frames": self._clips * self._frames_a_clip, **values}
        finite = {name: value if math.isfinite(value) else None for name, value in record.items()}  # JSON has no NaN
        with naming(Path(self._metrics.name)):
            self._metrics.write(json.dumps(finite) + "\n")
            self._metrics.flush()
        if self._tensorboard_takes_folder:
            for name, value in record.items():
                self._writer().add_scalar(name, value, self._clips)

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _frames(self, clips: int) -> str:
        """The number of frames that the discriminator has seen in `clips` clips, by which StyleGAN-V counts."""
        return f"{clips * self._frames_a_clip} frames"

    @staticmethod
    def _status(values: Mapping[str, float]) -> str:
        losses = [
            f"{name.removeprefix('loss/')} {value:.2f}" for name, value in values.items() if name.startswith("loss/")
        ]
        signs = [
            f"{name.removeprefix('sign/')} {value:+.2f}" for name, value in values.items() if name.startswith("sign/")
        ]
        return "loss " + " ".join(losses) + "  sign " + " ".join(signs)

    @property
    def _tensorboard_takes_folder(self) -> bool:
        """Whether TensorBoard's own files are wanted and possible: it takes no folder whose name is not text."""
        return self.config.tensorboard and is_text(str(self.run_dir))

    def _writer(self) -> Any:
        if self._tensorboard is None:
            from torch.utils.tensorboard import SummaryWriter

            self._tensorboard = SummaryWriter(f"{self.run_dir}/tensorboard", purge_step=self._start + 1)
        return self._tensorboard


def flattened(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with keys `a.b.c` and values that every tracker takes."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, int | float | str | bool) else str(value)
    return flat


def _continued(path: Path, clips: int, say: Callable[[str], None]) -> IO[str]:
    """metrics.jsonl, opened for appending, without damaged lines and those of lost steps beyond `clips`; `say` is told
    of damage."""
    if path.exists():
        found = list(lines(path))
        kept = [line for line, record in found if record is not None and record.clips <= clips]
        damaged = sum(record is None for _, record in found)
        if damaged:
            say(f"note: {path}: {damaged} damaged line{'s' * (damaged > 1)} left out")
        write_text(path, "".join(f"{line}\n" for line in kept))
    return path.open("a", encoding="utf-8")


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02d}h" if days else f"{hours}:{minutes:02d}:{seconds:02d}"
