"""Cut *Big Buck Bunny* (Blender Foundation, CC BY 3.0) at its shots, as videos to train on.

    pip download --no-deps --no-binary moviepy moviepy==2.2.1
    python recipes/data/big_buck_bunny.py moviepy-2.2.1.tar.gz -o bunny
    inrvid train recipes/digan_bunny_64.yaml --data bunny

`--held-out 5` writes every fifth video (a shot, or a piece of a long one) to bunny/test, to score against, and the
others to bunny/train. The film lies in the source distribution of moviepy 2.2.1, in a zip of its documentation's media;
a path of the film itself, bbb.mp4, does as well. The videos have the film's aspect and 24 frames a second; licence and
credit are written beside them, and go wherever they go.
"""

from __future__ import annotations

import argparse
import io
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from inrvid.video_io import write_video

MEDIA, FILM = "moviepy_10_minutes.zip", "bbb.mp4"
CUT = 24.0
"""Mean difference of two frames, of 255, from which on they belong to two shots: motion stays below."""

SHORTEST = 24
"""Frames of a shot that is kept."""

CREDIT = """Big Buck Bunny
(c) copyright 2008, Blender Foundation / www.bigbuckbunny.org

Licensed under Creative Commons Attribution 3.0: https://creativecommons.org/licenses/by/3.0/
Changed: cut at its shots, and made smaller.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Cut Big Buck Bunny at its shots.")
    parser.add_argument("source", type=Path, help="moviepy-2.2.1.tar.gz, its zip of media, or bbb.mp4")
    parser.add_argument("-o", "--output", type=Path, default=Path("bunny"), help="a new folder")
    parser.add_argument("--height", type=int, default=128, help="of the videos, in pixels")
    parser.add_argument("--longest", type=int, default=240, help="frames of a video; longer shots become several")
    parser.add_argument("--held-out", type=int, metavar="N", help="every Nth video into test/, the others into train/")
    options = parser.parse_args()
    if options.output.exists():
        parser.error(f"{options.output} exists: give a new folder")
    if options.held_out is not None and options.held_out < 2:
        parser.error(f"--held-out {options.held_out}: 2 or more")
    try:
        film = opened(options.source)
    except (OSError, KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        parser.error(f"{options.source}: no film found there ({error})")
    for name in ("train", "test") if options.held_out else (".",):
        (options.output / name).mkdir(parents=True)
    (options.output / "LICENSE.txt").write_text(CREDIT)
    count = frames = 0
    for shot in shots(pictures(film, options.height)):
        for start in range(0, len(shot) - SHORTEST + 1, options.longest):
            part = np.stack(shot[start : start + options.longest])
            if len(part) >= SHORTEST:
                folder = options.output / part_of(count, options.held_out)
                write_video(folder / f"shot_{count:03d}.mp4", part, 24)
                count, frames = count + 1, frames + len(part)
    print(f"{options.output}: {count} videos, {frames} frames; credit in LICENSE.txt")
    return 0


def part_of(number: int, held_out: int | None) -> str:
    """The folder of a video."""
    if not held_out:
        return "."
    return "test" if number % held_out == held_out - 1 else "train"


def opened(source: Path) -> io.BufferedIOBase:
    """The film, from whatever holds it."""
    if source.suffix == ".mp4":
        return source.open("rb")
    if source.suffix == ".zip":
        return io.BytesIO(zipfile.ZipFile(source).read(FILM))
    with tarfile.open(source) as archive:
        inside = next((member for member in archive if member.name.endswith(f"/{MEDIA}")), None)
        if inside is None:
            raise KeyError(MEDIA)
        media = archive.extractfile(inside)
        assert media is not None
        zipped = zipfile.ZipFile(io.BytesIO(media.read()))
        name = next(name for name in zipped.namelist() if name.endswith(FILM))
        return io.BytesIO(zipped.read(name))


def pictures(film: io.BufferedIOBase, height: int) -> Iterator[np.ndarray]:
    """Frames `[height, width, 3]`, uint8."""
    with av.open(film) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        width = 2 * round(height * stream.width / stream.height / 2)
        for frame in container.decode(stream):
            yield frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")


def shots(frames: Iterator[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Runs of frames without a cut; black ones (titles come out of them) end a shot, too, and are left out."""
    shot: list[np.ndarray] = []
    before = None
    for frame in frames:
        small = frame[::4, ::4].astype(np.float32)
        black = small.mean() < 4
        if before is not None and (black or np.abs(small - before).mean() > CUT):
            yield shot
            shot = []
        if not black:
            shot.append(frame)
        before = small
    yield shot


if __name__ == "__main__":
    sys.exit(main())
