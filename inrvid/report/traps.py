"""The table of traps as a page or a picture."""

from __future__ import annotations

from pathlib import Path

from ..errors import InrvidError
from ..evaluation.traps import Traps
from ..files import write_text
from ..video_io import write_image
from .bars import Bar, picture, svg
from .page import environment


def write_traps(traps: Traps, path: Path) -> None:
    """Write the table in the format of `path`'s suffix: .html, .png or .json. Raises InrvidError if it is another."""
    charts = {name: bars(traps, name) for name in traps.rows[0].scores}
    if path.suffix == ".json":
        write_text(path, traps.model_dump_json(indent=2, exclude_none=True) + "\n")
    elif path.suffix == ".png":
        write_image(path, picture([(f"{name} of {traps.fake}", chart) for name, chart in charts.items()]))
    elif path.suffix == ".html":
        template = environment().get_template("traps.html.jinja")
        drawn = {name: svg(chart) for name, chart in charts.items()}
        write_text(path, template.render(traps=traps, charts=drawn))
    else:
        raise InrvidError(f"{path}: a table of traps is written as .html, .png or .json")


def bars(traps: Traps, score: str) -> list[Bar]:
    return [Bar(row.name, row.scores.get(score), "not scored" if row.why_not else "") for row in traps.rows]
