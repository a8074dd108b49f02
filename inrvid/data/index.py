"""The index of a folder of video files: each file is probed once, and again only when it changes.

There is one JSON file per folder, `<cache>/index/<folder name>-<digest of its path>.json`, where the cache
directory is $INRVID_CACHE, else $XDG_CACHE_HOME/inrvid, else ~/.cache/inrvid. An entry is valid as long as its
file's size and modification time stay the same. Files that cannot be used are not stored: the reason may go away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote

import av

from ..documents import Document, DocumentError, read
from ..files import cache_directory, write_bytes
from .damage import UnreadableError
from .parallel import in_parallel
from .probe import probe
from .video_info import VideoInfo

VERSION = f"2, PyAV {av.__version__}"
"""Entries of another version are not used: what a file holds depends on the build of the decoders."""

MOST_BYTES = 2**29
"""A larger index is built again: reading it costs many times its size. This is enough for a million and a half mp4s,
or 600 hours of webm and mkv, whose times are stored one by one."""

STORE_SECONDS = 60.0
"""While files are probed, results are stored at this interval, or less often if storing takes long."""

Stamp = tuple[int, int]
"""(size in bytes, modification time in ns)."""


class _Entry(Document):
    stamp: Stamp
    info: VideoInfo


class _Index(Document):
    """`files`: by percent-encoded name, as JSON cannot hold bytes that are not text."""

    version: str
    files: dict[str, _Entry]


def index_files(root: Path, names: Sequence[str]) -> dict[str, VideoInfo | str]:
    """What each file `root/name` holds, or the reason why it cannot be used."""
    stamps = {name: _stamp(root / name) for name in names}
    file = cache_directory() / "index" / _file_name(root)
    known = _load(file, MOST_BYTES)
    fresh = {name: entry.info for name, entry in known.items() if entry.stamp == stamps.get(name)}
    missing = [name for name in names if name not in fresh]
    kept = {name: entry for name, entry in known.items() if name in fresh}
    others = {name: entry for name, entry in known.items() if name not in stamps and (root / name).exists()}
    entries, stored = {**kept, **others}, Every(STORE_SECONDS)
    found: dict[str, VideoInfo | str] = {}
    looked = in_parallel(lambda name: _look(root / name), missing, f"indexing {root}")
    for name, info in zip(missing, looked, strict=True):
        found[name] = info
        if isinstance(info, VideoInfo) and (stamp := stamps[name]) is not None and stamp[0] == info.size:
            entries[name] = _Entry(stamp=stamp, info=info)
        if stored.is_due():  # an interrupted run resumes from here
            with stored:
                _store(file, entries)
    if entries.keys() != known.keys() or any(name in entries for name in missing):
        _store(file, entries)
    return {name: fresh[name] if name in fresh else found[name] for name in names}


class Every:
    """A timer, due `seconds` after its block was last left, or ten times as long as the block took, if that is more."""

    def __init__(self, seconds: float):
        self.seconds, self._next = seconds, time.monotonic() + seconds

    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        now = time.monotonic()
        self._next = now + max(self.seconds, 10 * (now - self._began))


def _file_name(root: Path) -> str:
    path = os.fsencode(root.resolve())
    name = os.fsdecode(os.path.basename(path)[:100])  # noqa: PTH119 (bytes)
    return f"{name}-{hashlib.sha256(path).hexdigest()[:16]}.json"


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _look(path: Path) -> VideoInfo | str:
    try:
        return probe(path)
    except UnreadableError as error:
        return str(error)


def _load(file: Path, limit: int) -> dict[str, _Entry]:
    try:
        index = read(file, _Index, limit)
    except DocumentError:
        return {}  # none yet, or damaged: it is built again
    if index.version != VERSION:
        return {}
    entries = {unquote(name, errors="surrogateescape"): entry for name, entry in index.files.items()}
    # The size bounds how many frames a file is believed to have.
    return {name: entry for name, entry in entries.items() if entry.info.size == entry.stamp[0]}


def _store(file: Path, entries: dict[str, _Entry]) -> None:
    files = {quote(name, "/ ", errors="surrogateescape"): entry for name, entry in sorted(entries.items())}
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time only
        write_bytes(file, _Index(version=VERSION, files=files).model_dump_json().encode())
