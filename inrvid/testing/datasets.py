"""Checks of a data set: what it says of its videos, and that a frame is the same however it is asked for."""

from __future__ import annotations

import contextlib
import tempfile
import unittest
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..data.base import VideoDataset
from ..errors import ConfigError, InrvidError
from ..video_io import write_video
from .checks import Failed, require
from .randomness import check_own_randomness
from .training import TrainedChecks, check_losses, lines_of, small_recipe, train

FRAMES, SIDE, CLASSES = 12, 32, ("first", "second")


class KindChecks(TrainedChecks):
    """Checks of a data set. One on disk with a layout of its own overrides `make`."""

    def make(self, folder: Path) -> dict[str, Any]:
        """Write videos to `folder` in this data set's layout; returns the keys of its configuration that find them."""
        kind = self.parts.component(self.name)
        if not hasattr(kind, "matches") or {"path", "videos"} & {*self.small, *self.config()}:
            return {}
        for layout in (video_files, frame_folders, frame_zip):
            path = layout(folder / layout.__name__)
            if kind.matches(path):
                return {"path": str(path)}
        return {}

    def recipe_parts(self) -> dict[str, Any]:
        return {"data": self.config(workers=0)}

    @contextlib.contextmanager
    def opened(self, **keys: Any) -> Iterator[VideoDataset]:
        with tempfile.TemporaryDirectory() as folder:
            yield self.parts.build(self.settings(Path(folder), **keys))

    def settings(self, folder: Path, **keys: Any) -> dict[str, Any]:
        sizes = {"resolution": SIDE, "clip_length": 4, "workers": 0, "in_memory": False}
        found = {**self.config(**{**sizes, **keys}), **self.make(folder)}
        try:
            self.parts.build(found)
        except (InrvidError, ConfigError) as error:
            if not found.get("path"):
                raise unittest.SkipTest(
                    f"no videos for it: say where in `small`, or override `make`: {error}"
                ) from None
            raise
        return found

    def test_what_it_says_of_its_videos(self) -> None:
        """As many records as videos, of at least a clip; a rate, classes and a summary."""
        with self.opened() as data:
            require(len(data) == len(data.records) > 0, f"{len(data)} videos, {len(data.records)} records")
            short = [data.records[i].name for i in range(len(data)) if data.length(i) < data.config.clip_length]
            require(not short, f"shorter than a clip: {', '.join(short[:3])}")
            require(data.fps > 0, f"its frame rate is {data.fps}")
            require(data.classes == sorted(set(data.classes)), f"its classes are not sorted: {data.classes}")
            require(bool(data.summary()), "its summary is empty")

    def test_frames(self) -> None:
        """uint8 `[n, H, W, 3]`, the same alone, in any order, repeated, and one after another."""
        with self.opened() as data:
            for video in {0, len(data) - 1}:
                count = min(data.length(video), 8)
                frames = data.read(video, range(count))
                require(
                    frames.dtype == np.uint8 and frames.shape == (count, SIDE, SIDE, 3),
                    f"frames are {frames.dtype} {list(frames.shape)}, expected uint8 {[count, SIDE, SIDE, 3]}",
                )
                mixed = [count - 1, 0, count - 1]
                require(
                    np.array_equal(data.read(video, mixed), frames[mixed]), f"frames {mixed} differ from 0 … {count}"
                )
                for number, frame in data.each(video):
                    if number < count and not np.array_equal(frame, frames[number]):
                        raise Failed(f"frame {number} is not the same by `each` as by `read`")
            require(len(data.read(0, [])) == 0, "reading no frames does not give an empty array")

    def test_fingerprint(self) -> None:
        """The same for the same videos, another one for other frames of them."""
        with tempfile.TemporaryDirectory() as folder:
            settings = self.settings(Path(folder))
            first, again = (self.parts.build(settings).fingerprint for _ in range(2))
            require(first == again, "its fingerprint changes from one opening to the next")
            require(
                bool(first) and set(first) <= set("0123456789abcdef"), f"its fingerprint {first!r} is not a hex digest"
            )
            other = self.parts.build({**settings, "stride": 2}).fingerprint
            require(first != other, "its fingerprint does not depend on `stride`")

    def test_randomness_is_its_own(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            settings = self.settings(Path(folder))
            check_own_randomness(lambda: self.parts.build(settings).read(0, range(4)), "reading it")

    def test_a_recipe_trains_two_steps(self) -> None:
        """Clips of it reach the networks."""
        with tempfile.TemporaryDirectory() as place:
            recipe = small_recipe(self.recipe_parts())
            sizes = {"resolution": 16, "clip_length": recipe["generator"]["clip_length"]}
            found = self.settings(Path(place) / "videos", **sizes)
            recipe["data"] |= {key: value for key, value in found.items() if key not in sizes}
            train(Path(place) / "run", recipe)
            check_losses(lines_of(Path(place) / "run"))


def video_files(folder: Path) -> Path:
    """`CLASS/v_CLASS_g01_c01.avi`, as UCF-101 has them."""
    for name in CLASSES:
        pictures = np.stack([_picture(number, name) for number in range(FRAMES)])
        write_video(folder / name / "clip.mp4", pictures, fps=25)
        (folder / name / "clip.mp4").rename(folder / name / f"v_{name}_g01_c01.avi")
    return folder


def frame_folders(folder: Path) -> Path:
    """`CLASS/clip/0000.png`."""
    for name in CLASSES:
        (folder / name / "clip").mkdir(parents=True)
        for number in range(FRAMES):
            Image.fromarray(_picture(number, name)).save(folder / name / "clip" / f"{number:04d}.png")
    return folder


def frame_zip(folder: Path) -> Path:
    """The same in a zip."""
    frame_folders(folder)
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(folder))
    return folder.with_suffix(".zip")


def _picture(number: int, name: str) -> np.ndarray:
    y, x = np.mgrid[:48, :64]
    channels = [(x * 3 + number * 5) % 256, (y * 4 - number * 3) % 256, (x + y + len(name) * number) % 256]
    return np.stack(channels, axis=-1).astype(np.uint8)
