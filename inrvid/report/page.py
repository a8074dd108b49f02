"""A run as one HTML page: curves, samples, scores, recipe; or the curves of several runs in common charts.

The page is self-contained (pictures and videos too), so that it can be mailed, and opens without a network.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from ..errors import InrvidError
from ..evaluation.variant import variant_text
from ..files import read_bytes, write_text
from ..run_files import EVALUATION, METRICS, SCORES, Evaluation, Scores, read_evaluation, read_metrics, read_scores
from ..text import rounded
from .plot import Points, chart

GROUPS = {
    "Scores": "score/",
    "Losses": "loss/",
    "Mean signs of the discriminator's logits": "sign/",
    "Clips a second": "clips_per_second",
    "Augmentation": "augment/",
    "Seconds a step": "seconds/",
    "Gradients that were not finite": "nonfinite/",
    "GPU memory": "memory/",
}
"""Charts, with the prefix of the names that each shows."""

NEAREST = "nearest"
"""Name of a picture in a run's folder: `inrvid evaluate RUN --nearest RUN/nearest.png`."""

EMBED_LIMIT = 30 * 2**20
"""Bytes of one video or picture beyond which it is left out."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run folder holds, read once."""

    path: Path
    metrics: list[dict[str, Any]]
    recipe: str
    scores: Scores
    evaluation: Evaluation | None
    damage: tuple[str, ...]
    """What could not be read, a line each."""

    @classmethod
    def read(cls, path: str | Path) -> Run:
        """Raises InrvidError if `path` is not a run's folder."""
        path = Path(path)
        try:
            recipe = read_bytes(path / "recipe.yaml").decode(errors="replace")
            metrics, damaged = read_metrics(path / METRICS)
        except OSError as error:
            raise InrvidError(f"{path}: not a run's folder: {error.strerror}: {error.filename}") from None
        scores, problem = read_scores(path / SCORES)
        evaluation, fault = read_evaluation(path / EVALUATION)
        damage = [f"{METRICS}: {damaged} damaged line{'s' * (damaged > 1)} left out"] if damaged else []
        damage += [f"{name}: {what}" for name, what in ((SCORES, problem), (EVALUATION, fault)) if what]
        return cls(path, metrics, recipe, scores, evaluation, tuple(damage))

    @property
    def last(self) -> dict[str, Any]:
        """The last line of means; lines of scores alone have no speed."""
        return next((line for line in reversed(self.metrics) if "clips_per_second" in line), {})

    @property
    def final(self) -> dict[str, float]:
        """Scores of the result, by a protocol if there is one."""
        if self.evaluation is None:
            return self.scores.trained
        return {name: score.value for name, score in self.evaluation.scores.items()}

    def series(self, prefix: str) -> dict[str, Points]:
        """Curves over clips of all values whose names begin with `prefix`."""
        names = sorted({name for record in self.metrics for name in record if name.startswith(prefix)})
        return {name.removeprefix(prefix) or name: self.line(name) for name in names}

    def line(self, name: str) -> Points:
        """The curve of one value over clips; empty: the run has none."""
        return [(record["clips"], record[name]) for record in self.metrics if name in record]


def write_report(run: Path, output: Path | None = None, say: Callable[[str], None] = lambda line: None) -> Path:
    """Write a run's page; returns its path (default: report.html in the run's folder). `say` is told of damage."""
    data = Run.read(run)
    for line in data.damage:
        say(f"note: {run}: {line}")
    charts = {title: chart(series) for title, prefix in GROUPS.items() if (series := data.series(prefix))}
    page = environment().get_template("run.html.jinja").render(
        title=data.path.resolve().name, path=data.path, last=data.last, charts=charts,
        scores=data.scores, evaluation=data.evaluation, damage=data.damage,
        recipe=data.recipe, samples=latest_samples(data.path), real=media(data.path / "samples", "real"),
        nearest=media(data.path, NEAREST),
    )  # fmt: skip
    target = output or data.path / "report.html"
    write_text(target, page)
    return target


def write_comparison(runs: Sequence[Path], output: Path, say: Callable[[str], None] = lambda line: None) -> Path:
    """Write a page with a chart for each value that the runs have, one line per run. `say` is told of damage."""
    data = [Run.read(run) for run in runs]
    names = sorted({name for run in data for record in run.metrics for name in record} - {"step", "clips"})
    charts = {name: chart({str(run.path): line for run in data if (line := run.line(name))}) for name in names}
    rows = [(str(run.path), run.last, run.final) for run in data]
    damage = [f"{run.path}: {line}" for run in data for line in run.damage]
    for told in damage:
        say(f"note: {told}")
    page = environment().get_template("comparison.html.jinja").render(charts=charts, rows=rows, damage=damage)
    write_text(output, page)
    return output


def environment() -> Environment:
    """The Jinja environment of the pages' templates."""
    found = Environment(loader=PackageLoader("inrvid.report"), autoescape=select_autoescape(["html.jinja"]))
    found.filters |= {"variant_text": variant_text, "rounded": rounded}
    return found


def latest_samples(path: Path) -> dict[str, str] | None:
    """The latest samples in a run's folder, embedded; None if there are none."""
    names = sorted(p.stem for p in (path / "samples").glob("clips-*.png") if re.fullmatch("clips-[0-9]{12}", p.stem))
    return media(path / "samples", names[-1]) if names else None


def media(folder: Path, name: str) -> dict[str, str] | None:
    """A video and its picture, embedded; None without the picture."""
    picture, video = _embedded(folder / f"{name}.png", "image/png"), _embedded(folder / f"{name}.mp4", "video/mp4")
    if picture is None:
        return None
    return {"name": name, "picture": picture, **({} if video is None else {"video": video})}


def _embedded(path: Path, kind: str) -> str | None:
    """A file as a data URL; None if there is none, or it is too large for a page."""
    try:
        return f"data:{kind};base64,{base64.b64encode(read_bytes(path, EMBED_LIMIT)).decode()}"
    except OSError:
        return None
