"""Where protocols lie: the library's own and those of packages, by name.

A package declares a folder of its own, in which each YAML file is a protocol of the file's name:

    [project.entry-points."inrvid.protocols"]
    my_lab = "my_package.protocols"

The folder is looked for where the package's modules are, and nothing of the package is imported: protocols are data.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

from .. import __version__
from ..errors import InrvidError

GROUP = "inrvid.protocols"
FOLDER = Path(__file__).parent / "protocols"


@dataclasses.dataclass(frozen=True)
class ProtocolFile:
    """A file, and the package and version that it came with: none of a user's own."""

    path: Path
    package: str = ""
    version: str = ""

    @property
    def name(self) -> str:
        return self.path.stem

    def __str__(self) -> str:
        """For messages."""
        return str(self.path) if self.package in ("", "inrvid") else f"{self.package} {self.version}, {self.path}"


def protocols() -> dict[str, list[ProtocolFile]]:
    """All that are installed, by name: the files that claim it."""
    found: dict[str, list[ProtocolFile]] = {}
    folders = [("inrvid", __version__, FOLDER)]
    folders += [(*_package(point), folder) for point in _points() for folder in _folders(point)]
    for package, version, folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            file, claims = ProtocolFile(path, package, version), found.setdefault(path.stem, [])
            claims += [file] if file not in claims else []
    return dict(sorted(found.items()))


def installed(name: str) -> ProtocolFile | None:
    """The file of that name; None: there is none. Raises InrvidError: two packages claim it."""
    claims = protocols().get(name, [])
    if len(claims) > 1:
        packages = " and ".join(f"{file.package} {file.version}".strip() for file in claims)
        raise InrvidError(f"protocol '{name}' is claimed by {packages}: uninstall one of them")
    return claims[0] if claims else None


def without_protocols() -> list[str]:
    """Entry points of the group behind which there is no protocol, a line each."""
    return [
        f"{point.name} of {' '.join(_package(point)).strip()}: no package {point.value} with *.yaml files"
        for point in _points()
        if not any(path for folder in _folders(point) for path in folder.glob("*.yaml"))
    ]


def _points() -> list[EntryPoint]:
    return sorted(importlib.metadata.entry_points(group=GROUP), key=_package)


def _package(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("?", "")


def _folders(point: EntryPoint) -> Iterator[Path]:
    """Of the package that an entry point names: one, or several of a namespace package."""
    top, *below = point.value.strip().split(".")
    if not all(part.isidentifier() for part in (top, *below)):
        return
    try:
        spec = importlib.util.find_spec(top)  # of a name without dots it imports nothing
    except (ImportError, ValueError):
        return
    for place in (spec and spec.submodule_search_locations) or ():
        yield Path(place, *below)
