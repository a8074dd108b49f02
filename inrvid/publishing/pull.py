"""A model of the Hub as a folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..errors import InrvidError
from ..files import naming
from ..models import hub


def pull(repo: str, target: Path, revision: str | None = None) -> Path:
    """Copy all files of a repository into a new folder: whole, or not at all.

    Raises:
        InrvidError: the repository is not there or damaged, or `target` is there already (an empty folder may be).
    """
    asked, target = target, target.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir()) or target == Path.cwd()):
        raise InrvidError(f"{asked}: is there already: give another folder")
    cached = hub.fetch_all(repo, revision=revision)
    with naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    temporary = made / target.name
    try:
        with naming(target):
            shutil.copytree(cached, temporary)  # the files that the cache's links lead to
            if target.exists():
                target.rmdir()
            temporary.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return asked
