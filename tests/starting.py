"""Packages of `inrvid plugins new`, installed as `pip install -e` would: the folder on the path, and its metadata."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

from inrvid import registry
from inrvid.starter.make import make

SECTION = re.compile(r'\[project\.entry-points\."(.+)"\]')


def metadata(folder: Path) -> None:
    """A dist-info in the package's own folder, of its pyproject.toml."""
    text = (folder / "pyproject.toml").read_text()
    info = folder / f"{folder.name.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(exist_ok=True)
    (needs,) = re.findall(r'dependencies = \["(.+)"\]', text)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {folder.name}\nVersion: 0.1.0\nRequires-Dist: {needs}\n"
    )
    points, inside = [], False
    for line in text.splitlines():
        if line.startswith("["):
            section = SECTION.fullmatch(line)
            inside = section is not None
            points += [f"[{section[1]}]"] if section else []
        elif inside and line:
            points.append(line.replace('"', ""))
    (info / "entry_points.txt").write_text("\n".join(points) + "\n")


@contextlib.contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Inside, the package of that folder is installed, for this process and its children."""
    metadata(folder)
    before = {**sys.modules}
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    with mock.patch.object(sys, "path", [str(folder), *sys.path]), mock.patch.dict(os.environ, PYTHONPATH=path):
        importlib.invalidate_caches()
        registry.plugins.cache_clear()
        try:
            yield
        finally:
            registry.plugins.cache_clear()
            for name in [name for name in sys.modules if name not in before]:
                if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                    del sys.modules[name]


def made(folder: Path, kind: str, changes: Mapping[str, str] | None = None) -> Path:
    """A new package of a kind, changed: in its component, or its pyproject.toml, each text once."""
    make(folder, kind)
    module = folder.name.replace("-", "_")
    files = [folder / module / f"{module.removeprefix('inrvid_')}.py", folder / "pyproject.toml"]
    for old, new in (changes or {}).items():
        (file,) = [file for file in files if old in file.read_text()]
        file.write_text(file.read_text().replace(old, new, 1))
    return folder
