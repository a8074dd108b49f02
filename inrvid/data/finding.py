"""Finding videos and frames below a folder: by the suffixes of files and the names of folders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

VIDEOS = (
    ".mp4", ".avi", ".mkv", ".mov", ".webm", ".gif", ".m4v",
    ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".m2ts", ".mts", ".ogv", ".3gp",
)  # fmt: skip
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
OTHERS = (
    ".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".raw", ".dng", ".cr2", ".nef", ".arw", ".exr", ".hdr", ".dpx",
    ".mxf", ".rm", ".rmvb", ".swf", ".vob", ".asf", ".y4m", ".yuv", ".braw", ".r3d",
)  # fmt: skip
"""Pictures and videos that are not read; they are counted, so that nobody wonders where they went."""

SPLITS = ("train", "test", "val", "valid", "validation")
"""Names of folders that are splits of a data set, not classes."""

WRITTEN = {"samples", "model", "checkpoints"}
"""Subfolders of a run or a model that hold pictures and videos made by a model."""


def files_in(path: Path, suffixes: Container[str], passed: list[Path] | None = None) -> Iterator[Path]:
    """Files below `path` (or `path` itself) with one of the suffixes, in no particular order; without hidden ones, and
    without the samples of models in folders of runs and models.

    Entries with such a name that are not files (a dangling link, a pipe) are included: opening them reports what they
    are.

    Args:
        passed: list that collects the folders of runs and models whose samples are passed over.
    """
    if path.is_file():
        yield from [path] if path.suffix.lower() in suffixes else []
        return
    seen: set[str] = set()
    for folder, subfolders, files in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link to a folder above itself
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        if _is_run_or_model({*files}) and not WRITTEN.isdisjoint(subfolders):
            subfolders[:] = [name for name in subfolders if name not in WRITTEN]
            if passed is not None:
                passed.append(Path(folder))
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes:
                yield Path(folder, name)


def names_in(root: Path, folders: Iterable[Path]) -> list[str]:
    """Names of `folders`, which lie below `root`, relative to it, sorted."""
    return sorted(folder.relative_to(root).as_posix() for folder in folders)


def _is_run_or_model(files: set[str]) -> bool:
    return {"recipe.yaml", "metrics.jsonl"} <= files or {"config.json", "model.safetensors"} <= files


def left_out(names: Iterable[str], kinds: Container[str]) -> dict[str, int]:
    """Number of files with each of the suffixes in `kinds`, the most frequent first."""
    suffixes = (PurePosixPath(name).suffix.lower() for name in names)
    return dict(sorted(Counter(suffix for suffix in suffixes if suffix in kinds).items(), key=lambda kv: (-kv[1], kv)))


FRAMES = 4
"""This many pictures in a folder, or more, may be the frames of a video; fewer are covers and thumbnails."""


def are_videos(path: Path) -> bool:
    """Whether `path` holds videos, rather than folders of frames with an occasional preview."""
    videos, pictures = 0, Counter[Path]()
    for file in files_in(path, (*VIDEOS, *PICTURES)):
        if file.suffix.lower() in PICTURES:
            pictures[file.parent] += 1
        else:
            videos += 1
    folders = sum(count >= FRAMES for count in pictures.values())
    return videos > folders


def classes_by_folder(names: Sequence[str]) -> dict[str, str | None]:
    """The class of each video: the first folder of its name ('class/video', with or without folders in between).

    If all first folders are splits ('train', 'test', …), it is the second. None: there is no such folder.
    """
    parts = {name: PurePosixPath(name).parts[:-1] for name in names}
    split = all(folders[0].lower() in SPLITS for folders in parts.values() if folders)
    level = 1 if split else 0
    return {name: folders[level] if len(folders) > level else None for name, folders in parts.items()}
