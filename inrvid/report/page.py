"""A run as one HTML page: curves, samples, scores, recipe; or the curves of several runs in common charts.

The page holds everything in itself (pictures and videos too), so that it can be mailed, and opens without a network.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from ..errors import InrvidError
from ..files import write_text
from .plot import Points, chart

GROUPS = {
    "Losses": "loss/",
    "Mean signs of the discriminator's logits": "sign/",
    "Clips a second": "clips_per_second",
    "Augmentation": "augment/",
    "Seconds a step": "seconds/",
    "Gradients that were not finite": "nonfinite/",
    "GPU memory": "memory/",
}
"""Charts, by the beginning of the names they hold."""

EMBED_LIMIT = 30 * 2**20
"""Bytes of one video beyond which it is named instead of embedded."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run folder holds, read once."""

    path: Path
    metrics: list[dict[str, Any]]
    recipe: str
    scores: dict[str, Any]

    @classmethod
    def read(cls, path: str | Path) -> Run:
        """Raises InrvidError if `path` is not a run's folder."""
        path = Path(path)
        try:
            recipe = (path / "recipe.yaml").read_text()
            lines = (path / "metrics.jsonl").read_text().splitlines()
        except OSError as error:
            raise InrvidError(f"{path}: not a run's folder: {error.strerror}: {error.filename}") from None
        metrics = [json.loads(line) for line in lines if line.endswith("}")]  # the last may be in the making
        scores = path / "scores.json"
        return cls(path, metrics, recipe, json.loads(scores.read_text()) if scores.exists() else {})

    def series(self, prefix: str) -> dict[str, Points]:
        """Lines over clips of all values whose name begins with `prefix`."""
        names = sorted({name for record in self.metrics for name in record if name.startswith(prefix)})
        return {
            name.removeprefix(prefix) or name: [(r["clips"], r[name]) for r in self.metrics if name in r]
            for name in names
        }


def write_report(run: Path, output: Path | None = None) -> Path:
    """Write the page of a run; returns its path (default: report.html in the run's folder)."""
    data = Run.read(run)
    charts = {title: chart(series) for title, prefix in GROUPS.items() if (series := data.series(prefix))}
    page = _environment().get_template("run.html.jinja").render(
        title=data.path.resolve().name, path=data.path, last=data.metrics[-1] if data.metrics else {}, charts=charts,
        scores=data.scores, recipe=data.recipe, samples=_samples(data.path), real=_media(data.path / "samples", "real"),
    )  # fmt: skip
    target = output or data.path / "report.html"
    write_text(target, page)
    return target


def write_comparison(runs: Sequence[Path], output: Path) -> Path:
    """Write a page with a chart for each value that the runs have, a line a run."""
    data = [Run.read(run) for run in runs]
    names = sorted({name for run in data for record in run.metrics for name in record} - {"step", "clips"})
    charts = {
        name: chart({str(run.path): next(iter(run.series(name).values()), []) for run in data if run.series(name)})
        for name in names
    }
    rows = [(str(run.path), run.metrics[-1] if run.metrics else {}, run.scores.get("trained", {})) for run in data]
    page = _environment().get_template("comparison.html.jinja").render(charts=charts, rows=rows)
    write_text(output, page)
    return output


def _environment() -> Environment:
    return Environment(loader=PackageLoader("inrvid.report"), autoescape=select_autoescape(["html.jinja"]))


def _samples(path: Path) -> dict[str, Markup] | None:
    names = sorted(p.stem for p in (path / "samples").glob("clips-*.png"))
    return _media(path / "samples", names[-1]) if names else None


def _media(folder: Path, name: str) -> dict[str, Markup] | None:
    """A video and its picture, embedded."""
    video, picture = folder / f"{name}.mp4", folder / f"{name}.png"
    if not picture.exists():
        return None
    shown = {"name": Markup(name), "picture": _embedded(picture, "image/png")}
    if video.exists() and video.stat().st_size <= EMBED_LIMIT:
        shown["video"] = _embedded(video, "video/mp4")
    return shown


def _embedded(path: Path, kind: str) -> Markup:
    return Markup(f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}")
