"""A model of the Hub as a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..errors import InrvidError
from ..files import naming
from ..models import hub


def pull(repo: str, target: Path, revision: str | None = None) -> Path:
    """All files of a repository, into a new folder: whole, or not at all.

    Raises:
        InrvidError: not there, damaged, or `target` is.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InrvidError(f"{target}: is there already: give another folder")
    cached = hub.fetch_all(repo, revision=revision)
    temporary = target.with_name(f".{target.name}-inrvid-pull")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with naming(target):
            shutil.copytree(cached, temporary)  # what the cache's links lead to
            if target.exists():
                target.rmdir()
            temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target
