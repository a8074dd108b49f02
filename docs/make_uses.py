"""Write docs/uses.md: what a trained model can do, a command and a picture each.

    python docs/make_uses.py

The pictures (docs/uses/) are of a small DIGAN that a clone has; nothing is selected.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from inrvid.files import read_bytes, write_bytes, write_text
from inrvid.video_io import enlarge, strip, write_image

PAGE = Path(__file__).parent / "uses.md"
PICTURES = PAGE.with_suffix("")
COLUMNS, SIDE = 12, 72
"""Frames of a strip, and about how many pixels high."""
MODEL = "hub/digan_landscapes_32"
"""Drawn at any place and size: it is a function of both."""


@dataclasses.dataclass(frozen=True)
class Use:
    name: str
    what: str
    command: str
    """As a user types it; what it writes is called `out` here, and on the page as the use is."""
    picture: str = ""
    """File that it writes, if that is a picture; else a strip is made of its frames."""
    rest: str = ""
    """What makes it quick here."""
    before: str = ""
    """The command that it needs first."""


USES = (
    Use("length", "Any length, from any start time, even before 0.", "generate RUN -o out.npz --start -16 --frames 96"),
    Use("slow", "Any frame rate: slow motion evaluates the frames in between.", "generate RUN -o out.npz --slow 8"),
    Use("large", "Finer grids: 32×32 as 128×128.", "generate RUN -o out.npz --size 128x128"),
    Use("wider", "Beyond the frame that the model learned.", "generate RUN -o out.npz --zoom-out 1.5 --size 128x128"),
    Use(
        "contents and motions",
        "Contents by motions: each row has one scene, each column one motion; 12 times from left to right.",
        "generate RUN -o out.npz --content-motion-grid 3x2",
    ),
    Use(
        "difference",
        "One content with two motions, and the difference of their pixels.",
        "generate RUN -o out.npz --difference --seed 3",
    ),
    Use(
        "interpolate",
        "INR weights φ from one video to another: one row per step, one column per time.",
        "interpolate RUN 0 3 -o out.png",
        "out.png",
    ),
    Use(
        "project",
        "Given frames, here three of a video that the model never saw: target, projection, error. It takes 1,000 "
        "steps, minutes on a CPU; `--steps 200` shows where it leads.",
        "project RUN video.mp4 --frames 4-6 -o out.safetensors",
        "out.png",
        "--steps 300 --distance pixels",
    ),
    Use(
        "predict",
        "The frames around given ones, beside simpler methods.",
        "predict RUN video.mp4 --given 4,8,12 -o out",
        "out/prediction.png",
        "--steps 300 --distance pixels",
    ),
    Use(
        "edit",
        "The first five directions of the model's weights, −3 to 3 standard deviations.",
        "edit show RUN directions.safetensors -o out.png",
        "out.png",
        before="edit find RUN -o directions.safetensors",
    ),
    Use("slices", "A line of pixels over time.", "analyze RUN -o out --only slices", "out/slices_x-t.png"),
)
ABOUT = f"""The model of this page, a [small DIGAN](../{MODEL}/README.md), lies in the clone: every command runs as
it is, and as well with a run of your own, such as `runs/quickstart/001`. Nothing is selected. (`python
docs/make_uses.py` writes this page.)"""

NEEDED = f"""`video.mp4`, whose frames are given below, is a video like the model's training data, or one of its own:

```bash
inrvid generate {MODEL} -o video.mp4 --seed 100 --frames 16
```"""
"""What two uses begin with."""

EXPLORE = f"""## Play

<!-- not run: it serves until it is stopped, by a package of its own -->
```bash
inrvid explore {MODEL}       # pip install 'inrvid[explore]'
```

A page on this machine: seeds of content and motion, time, zoom, interpolation, directions (`--directions FILE`).

![The page](uses/explore.png)
"""


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    model = Path(MODEL).resolve()
    lines = ["# What a trained model can do", ""]
    lines += [ABOUT, "", NEEDED, ""]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _clip(place)
        for use in USES:
            made = _picture(use, place, model)
            lines += [f"## {use.name.capitalize()}", "", use.what, "", "```bash"]
            typed = [command for command in (use.before, use.command) if command]
            lines += [_shown(command, use) for command in typed]
            lines += ["```", ""]
            lines += [f"![{use.what.partition('. ')[0]}](uses/{made.name})", ""]
    write_text(PAGE, "\n".join([*lines, EXPLORE]))
    print(PAGE)


def _shown(command: str, use: Use) -> str:
    """As on the page: files of one use are not those of another."""
    typed = f"inrvid {command.replace('RUN', MODEL)}".replace("out.npz", "out.mp4")
    return typed.replace("-o out", f"-o {use.name.replace(' ', '_')}")


def _clip(place: Path) -> None:
    """A held-out clip of the data, which the model has not seen."""

    from inrvid import load_recipe
    from inrvid.data.open import open_dataset
    from inrvid.video_io import write_video

    config = load_recipe("quickstart").data.model_copy(update={"split": "test"})
    data = open_dataset(config)
    write_video(place / "video.mp4", data.read(3, range(16)), data.fps)


def _picture(use: Use, place: Path, model: Path) -> Path:
    target = PICTURES / f"{use.name.replace(' ', '_')}.png"
    target.parent.mkdir(exist_ok=True)
    for command in filter(None, (use.before, f"{use.command} {use.rest}")):
        _inrvid(place, f"{command.replace('RUN', str(model))} --cpu")
    if use.picture:
        write_bytes(target, read_bytes(place / use.picture, 2**26))
    else:
        with np.load(place / "out.npz") as arrays:
            frames = arrays["frames"]
        frames = frames[None] if frames.ndim == 4 else frames
        factor = max(1, round(SIDE / max(frames.shape[2:4])))
        write_image(target, enlarge(strip(frames, rows=8, columns=COLUMNS), factor))
    for left in place.glob("out*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return target


def _inrvid(place: Path, arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "inrvid", *arguments.split()], cwd=place, check=True)


if __name__ == "__main__":
    main()
