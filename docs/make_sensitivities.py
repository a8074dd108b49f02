"""Write docs/sensitivities.md: what each metric says of clips that were damaged in a known way.

    python docs/make_sensitivities.py [--clips 256] [--features FOLDER]

Needs the weights of I3D and Inception (inrvid detectors fetch). A clip of each set takes a second or so on a CPU;
features are kept, block by block, so that an interrupted run goes on where it was and a later one adds clips:
remove them when the procedural videos or a detector have changed.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from inrvid.evaluation.clips import Altered, DatasetClips, Source, Window, eight_bits
from inrvid.evaluation.detectors.base import Detector
from inrvid.evaluation.features import features_of, load_features, save_features
from inrvid.evaluation.protocol import Protocol, load_protocol
from inrvid.evaluation.uncertainty import spread_of_halves
from inrvid.files import cache_directory, write_text
from inrvid.registry import registry

PAGE = Path(__file__).parent / "sensitivities.md"
WINDOW = Window(16)
SIDE = 64
BLOCK = 32
"""Clips whose features are kept together."""

FRAMES = "inception"
DETECTORS = ("i3d", FRAMES, "statistics", "diagnostics")
METRICS = {
    "fvd": "i3d",
    "kvd": "i3d",
    "precision_recall": "i3d",
    "fid": FRAMES,
    "statistics": "statistics",
    "diagnostics": "diagnostics",
}
"""Metrics, and the detector whose features each sees."""

Change = Callable[[Tensor], Tensor]
Scores = dict[str, tuple[float, float]]
"""By column: the score, and its standard error, by random halves."""


@dataclasses.dataclass(frozen=True)
class Column:
    head: str
    metric: str
    part: str = ""
    worse: int = 1
    """Sign of what is worse; 0: either way."""
    digits: int = 1
    scale: float = 1.0


COLUMNS = (
    Column("FVD16", "fvd"),
    Column("KVD16", "kvd", digits=2),
    Column("precision", "precision_recall", "precision", worse=-1, digits=2),
    Column("recall", "precision_recall", "recall", worse=-1, digits=2),
    Column("FID", "fid"),
    Column("statistics: spatial", "statistics", "spatial", digits=2),
    Column("temporal", "statistics", "temporal", digits=2),
    Column("diagnostics: motion", "diagnostics", "motion", worse=0, scale=127.5, digits=2),
    Column("flicker", "diagnostics", "flicker", worse=0, scale=127.5, digits=2),
    Column("sharpness", "diagnostics", "sharpness", worse=0, scale=127.5, digits=2),
)


def blurred(sigma: float) -> Change:
    """By a Gaussian of `sigma` pixels, borders mirrored."""
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).expand(3, 1, 1, -1)

    def change(frames: Tensor) -> Tensor:
        images = F.pad(frames.flatten(0, 1), (reach,) * 4, mode="reflect")
        images = F.conv2d(F.conv2d(images, weights, groups=3), weights.mT, groups=3)
        return eight_bits(images.unflatten(0, frames.shape[:2]))

    return change


def noised(levels: float) -> Change:
    """With Gaussian noise of `levels` of the 256, new in each frame."""
    draws = torch.Generator().manual_seed(0)
    return lambda frames: eight_bits(frames + torch.randn(frames.shape, generator=draws) * levels / 127.5)


def shuffled(frames: Tensor) -> Tensor:
    """Each clip's frames in an order of its own."""
    orders = torch.rand(frames.shape[:2], generator=torch.Generator().manual_seed(0)).argsort(1)
    return torch.stack([clip[order] for clip, order in zip(frames, orders, strict=True)])


def frozen(frames: Tensor) -> Tensor:
    return frames[:, :1].expand_as(frames)


def clips_of(split: str, count: int, fps: float = 25.0) -> Source:
    """Procedural clips; at twice the frame rate they have half the speed."""
    config = {"type": "procedural", "split": split, "videos": count, "resolution": SIDE, "frames": 16, "fps": fps}
    return DatasetClips(registry("datasets").build(config), order="first", start="first")


def sets(count: int) -> dict[str, Source]:
    """By name; the undamaged one first."""
    train = clips_of("train", count)
    changes: dict[str, Change] = {
        **{f"blurred, σ = {sigma:g} pixels": blurred(sigma) for sigma in (0.5, 1.0, 2.0)},
        **{f"noise, σ = {levels} of 255": noised(levels) for levels in (4, 8, 16)},
        "frames shuffled": shuffled,
        "frozen (the first frame)": frozen,
        "reversed": lambda frames: frames.flip(1),
    }
    altered = {name: Altered(train, change, name) for name, change in changes.items()}
    return {"undamaged": train, **altered, "half speed": clips_of("train", count, fps=50.0)}


class Kept:
    """Features of blocks of clips, made once and kept in files."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.detectors: dict[str, Detector] = {name: registry("detectors").build({"type": name}) for name in DETECTORS}

    def block(self, name: str, source: Source, number: int) -> dict[str, Tensor]:
        """By detector, of clips number·BLOCK …"""
        paths = {detector: self.folder / f"{name}-{number:03d}-{detector}.safetensors" for detector in DETECTORS}
        known = {detector: load_features(path) for detector, path in paths.items()}
        found = {detector: features for detector, features in known.items() if features is not None}
        if missing := {detector: self.detectors[detector] for detector in DETECTORS if detector not in found}:
            made = self._made(source, number, missing)
            for detector, features in made.items():
                save_features(paths[detector], features)
            found |= made
        return found

    def _made(self, source: Source, number: int, detectors: Mapping[str, Detector]) -> dict[str, Tensor]:
        clips = source.choose(WINDOW, (number + 1) * BLOCK)[number * BLOCK :]
        of_clips = {name: detector for name, detector in detectors.items() if name != FRAMES}
        of_frames = {name: detector for name, detector in detectors.items() if name == FRAMES}
        first = Altered(source, lambda frames: frames[:, :1], "the first frame")
        made: dict[str, Tensor] = {}
        for seen, wanted in ((source, of_clips), (first, of_frames)):
            if wanted:
                made |= features_of(seen, WINDOW, clips, wanted, device=torch.device("cpu")).by_detector
        return made


def scores(kept: Kept, protocol: Protocol, real: Mapping[str, Tensor], fake: Mapping[str, Tensor]) -> Scores:
    """By `metric/part`."""
    found: Scores = {}
    for name, detector in METRICS.items():
        metric = registry("metrics").build({"type": name, "detector": {"type": detector}})
        parts = kept.detectors[detector].parts
        values = metric.score(real[detector], fake[detector], parts)
        errors = spread_of_halves(metric, real[detector], fake[detector], parts, protocol)
        found |= {f"{name}/{part}": (value, errors[part]) for part, value in values.items()}
    return found


def cell(column: Column, of: Scores, undamaged: Scores) -> str:
    key = f"{column.metric}/{column.part}"
    value, error = of[key]
    before, error_before = undamaged[key]
    difference = (value - before) * column.worse if column.worse else abs(value - before)
    seen = of is not undamaged and difference > 2 * math.hypot(error, error_before)
    text = f"{value * column.scale:.{column.digits}f}".replace("-", "−")
    return f"**{text}**" if seen else text


def table(found: Mapping[str, Scores]) -> str:
    undamaged = found["undamaged"]
    errors = [undamaged[f"{column.metric}/{column.part}"][1] * column.scale for column in COLUMNS]
    rows = [
        ["generated clips", *(column.head for column in COLUMNS)],
        ["---", *("---:" for _ in COLUMNS)],
        *([name, *(cell(column, of, undamaged) for column in COLUMNS)] for name, of in found.items()),
        ["± of the undamaged", *(f"{e:.{c.digits}f}" for e, c in zip(errors, COLUMNS, strict=True))],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


HEAD = """\
# What the metrics see

Scores of {clips} procedural clips (16 frames of 64 × 64, the train split) that were damaged in a known way, against
{clips} unaltered clips of the test split. **Bold**: worse than the undamaged clips (for diagnostics: different) by more
than twice the error, which is the root of the summed squares of both standard errors. FVD, KVD, precision and recall
are computed from I3D's 400 logits, FID from Inception's 2,048 features of each clip's first frame.
Motion, flicker and sharpness are in steps of 8 bits; the real clips have {motion:.2f}, {flicker:.2f}, {sharpness:.2f}.
More clips (`--clips`) make the page better: with few, FVD and FID are far above their values for many clips, for the
undamaged clips too, and errors are large. Compare rows with each other, and no number with those of papers.

"""
TAIL = """
This page is made by `python docs/make_sensitivities.py --clips {clips}`.
"""


def paragraph() -> str:
    """What the table shows: written by hand, kept when the page is made again."""
    marks = ("<!-- read from the table -->\n", "<!-- end -->\n")
    text = PAGE.read_text() if PAGE.exists() else ""
    inside = text.split(marks[0])[1].split(marks[1])[0] if marks[0] in text else ""
    return marks[0] + inside + marks[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--clips", type=int, default=256, help=f"a multiple of {BLOCK}")
    parser.add_argument("--features", type=Path, default=cache_directory() / "sensitivities", help="kept features")
    arguments = parser.parse_args()
    kept, (protocol, _) = Kept(arguments.features), load_protocol("inrvid")
    subjects = {"real": clips_of("test", arguments.clips), **sets(arguments.clips)}
    blocks: dict[str, list[dict[str, Tensor]]] = {name: [] for name in subjects}
    for number, (name, source) in itertools.product(range(arguments.clips // BLOCK), subjects.items()):
        blocks[name].append(kept.block(name, source, number))
        print(f"clips {number * BLOCK} to {(number + 1) * BLOCK}: {name}", flush=True)
    features = {
        name: {detector: torch.cat([block[detector] for block in own]) for detector in DETECTORS}
        for name, own in blocks.items()
    }
    real = features.pop("real")
    found = {name: scores(kept, protocol, real, fake) for name, fake in features.items()}
    shown = {
        name: 127.5 * found["undamaged"][f"diagnostics/{name} (real)"][0] for name in ("motion", "flicker", "sharpness")
    }
    head = HEAD.format(clips=arguments.clips, **shown)
    write_text(PAGE, head + table(found) + "\n\n" + paragraph() + TAIL.format(clips=arguments.clips))


if __name__ == "__main__":
    main()
