"""The index of a folder of video files: each file is probed once, and again only when it changes.

It is one JSON file a folder, `<cache>/index/<folder name>-<digest of its path>.json`, where the cache
directory is $INRVID_CACHE, else $XDG_CACHE_HOME/inrvid, else ~/.cache/inrvid. An entry holds as long as its
file's size and modification time. Files that cannot be used are not stored: their trouble may pass.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av

from ..files import write_text
from .decode import UnreadableError
from .parallel import in_parallel
from .probe import probe
from .video_info import VideoInfo

VERSION = f"1, PyAV {av.__version__}"
"""Entries of another version are not used: a file holds what this build of the decoders makes of it."""

Stamp = tuple[int, int]
"""(size in bytes, modification time in ns)."""


def index_files(root: Path, names: Sequence[str]) -> dict[str, VideoInfo | str]:
    """What each file `root/name` holds, or the reason why it cannot be used."""
    stamps = {name: _stamp(root / name) for name in names}
    file = cache_directory() / "index" / _file_name(root)
    known = _load(file)
    fresh = {name: info for name, (stamp, info) in known.items() if stamp == stamps.get(name)}
    missing = [name for name in names if name not in fresh]
    found = dict(zip(missing, in_parallel(lambda name: _look(root / name), missing, f"indexing {root}"), strict=True))
    entries = {**fresh, **{name: info for name, info in found.items() if isinstance(info, VideoInfo)}}
    others = {name: entry for name, entry in known.items() if name not in stamps and (root / name).exists()}
    if len(entries) > len(fresh) or len(fresh) + len(others) < len(known):
        _store(file, {**{name: (stamps[name], info) for name, info in entries.items()}, **others})
    return {name: fresh[name] if name in fresh else found[name] for name in names}


def cache_directory() -> Path:
    """Where inrvid keeps what it can compute again."""
    if own := os.environ.get("INRVID_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "inrvid"


def _file_name(root: Path) -> str:
    resolved = root.resolve()
    return f"{resolved.name}-{hashlib.sha256(str(resolved).encode()).hexdigest()[:16]}.json"


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
    except OSError as error:
        return error.strerror or str(error)


def _load(file: Path) -> dict[str, tuple[Stamp | None, VideoInfo]]:
    try:
        data: Any = json.loads(file.read_bytes())
        if data["version"] != VERSION:
            return {}
        return {
            name: ((int(entry["stamp"][0]), int(entry["stamp"][1])), VideoInfo.from_json(entry["info"]))
            for name, entry in data["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return {}  # none yet, or damaged: it is built again


def _store(file: Path, entries: dict[str, tuple[Stamp | None, VideoInfo]]) -> None:
    files = {name: {"stamp": stamp, "info": info.to_json()} for name, (stamp, info) in sorted(entries.items())}
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time only
        write_text(file, json.dumps({"version": VERSION, "files": files}, separators=(",", ":")))
