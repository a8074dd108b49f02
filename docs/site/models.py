"""The page of published models: of each folder of hub/ its picture, facts, scores, and where its card is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from inrvid.evaluation.record import Score, read_record
from inrvid.models.files import is_model
from inrvid.publishing.about import number, read_about, section, text
from inrvid.publishing.samples import LONG, SEEDS, picture_of
from inrvid.run_files import EVALUATION

HUB = Path(__file__).resolve().parents[2] / "hub"

INTRODUCTION = """# Models

Models that are in the repository: each loads as it stands, and its recipe and scores lie beside it. [What one sees in
them, and how far they are from their data](../../hub/README.md).
"""


def pages() -> dict[str, str]:
    """Markdown by place in docs/."""
    folders = [folder for folder in sorted(HUB.iterdir()) if is_model(folder)]
    return {"models/index.md": "\n".join([INTRODUCTION, *(_model(folder) for folder in folders)])}


def _model(folder: Path) -> str:
    about, place = read_about(folder), f"../../hub/{folder.name}"
    lines = [
        f"## {folder.name}",
        "",
        f"{text(section(about, 'recipe'), 'description')}.",
        "",
        f"![Videos of {folder.name}: one video per row, time from left to right]({place}/{picture_of(folder, SEEDS)})",
        "",
        f"Seeds from 0 on, none selected ([as a video]({place}/samples/seeds.mp4)). [The card]({place}/README.md) has "
        + ("longer ones, and " if picture_of(folder, LONG) else "")
        + "selected ones said apart.",
        "",
        "```bash",
        f"inrvid generate hub/{folder.name} -o out.mp4",
        "```",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in [*_facts(folder), *_scores(folder)]),
        "",
    ]
    return "\n".join(lines)


def _facts(folder: Path) -> Iterator[tuple[str, str]]:
    about = read_about(folder)
    generator = section(about, "generator")
    for noun, page, part in (
        ("Generator", "generators", generator),
        ("Motion", "motions", section(generator, "motion")),
        ("Coordinates", "coords", section(generator, "coords")),
    ):
        if name := text(part, "type"):
            yield noun, f"[{name}](../components/{page}.md#{name})"
    yield "Frames", f"{generator['resolution']}×{generator['resolution']}, {generator['fps']:g} a second"
    if clips := number(about, "clips"):
        yield (
            "Trained on",
            f"{clips:,} clips of {generator['clip_length']} frames, of `{section(about, 'recipe', 'data')['type']}`",
        )
    yield "Weights", f"{(folder / 'model.safetensors').stat().st_size / 1e6:.1f} MB"


def _scores(folder: Path) -> Iterator[tuple[str, str]]:
    if not (folder / EVALUATION).is_file():
        return
    record = read_record(folder / EVALUATION)
    for name, score in record.scores.items():
        yield name, f"{_shown(score)} (protocol {record.protocol})"


def _shown(score: Score) -> str:
    return f"{score.value:.4g}" + (f" ± {score.error:.2g}" if score.error is not None else "")
