"""Files that packages bring, found by name: recipes and protocols, the library's own and those of others.

A package declares a folder of its own, in which each YAML file is one of them, named after the file:

    [project.entry-points."inrvid.recipes"]
    my_lab = "my_package.recipes"

The folder is looked for where the package's modules are, and nothing of the package is imported: these are data. The
library keeps its own names: another package's claim to one is ignored, with a warning. A name that two packages claim
is refused when it is asked for.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

from . import __version__
from .errors import InrvidError
from .packages import OURS, package_of, taken, tell_ignored


@dataclasses.dataclass(frozen=True)
class PackagedFile:
    """A file, and the package and version that it came with (empty for a user's own file)."""

    path: Path
    package: str = ""
    version: str = ""

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def provider(self) -> tuple[str, str]:
        return self.package, self.version

    def __str__(self) -> str:
        """For messages."""
        return str(self.path) if self.package in ("", OURS) else f"{self.package} {self.version}, {self.path}"


@dataclasses.dataclass(frozen=True)
class PackagedFiles:
    """All files of one sort.

    Attributes:
        group: entry-point group by which packages declare their folders.
        noun: what one of them is called in messages.
        folder: the library's own.
    """

    group: str
    noun: str
    folder: Path

    def own(self) -> dict[str, PackagedFile]:
        """The library's own, by name."""
        return {path.stem: PackagedFile(path, OURS, __version__) for path in sorted(self.folder.glob("*.yaml"))}

    def claims(self) -> dict[str, list[PackagedFile]]:
        """All that are installed: name → the files that claim it; only the library's own where it is one of them."""
        own = {name: [file] for name, file in self.own().items()}
        return dict(sorted({**self.of_others(), **own}.items()))

    def find(self, name: str) -> PackagedFile | None:
        """The file of that name; None: there is none. Raises InrvidError: two packages claim it."""
        own, others = self.own().get(name), self.of_others().get(name, [])
        if own:
            tell_ignored(self.noun, name, [file.provider for file in others])
            return own
        if len(others) > 1:
            packages = " and ".join(" ".join(file.provider).strip() for file in others)
            raise InrvidError(f"{self.noun} '{name}' is claimed by {packages}: uninstall one of them")
        return others[0] if others else None

    def ignored(self) -> list[str]:
        """What packages declare to no effect, a line each: folders without a file, names of the library's own."""
        empty = [
            f"{point.name} of {' '.join(package).strip()}: no package {point.value} with *.yaml files"
            for package, point in declared(self.group, tuple(sys.path))
            if not any(_files(point))
        ]
        own, others = self.own(), self.of_others()
        return empty + [taken(self.noun, name, file.provider) for name in own for file in others.get(name, [])]

    def of_others(self) -> dict[str, list[PackagedFile]]:
        """All that packages claim, by name, including names of the library's own."""
        found: dict[str, list[PackagedFile]] = {}
        for package, point in declared(self.group, tuple(sys.path)):
            for path in _files(point):
                file, claims = PackagedFile(path, *package), found.setdefault(path.stem, [])
                claims += [file] if file not in claims else []
        return found


@functools.lru_cache(maxsize=8)
def declared(group: str, where: tuple[str, ...]) -> list[tuple[tuple[str, str], EntryPoint]]:
    """((package, version), entry point) of a group, by package, on the path `where`, which is this process's.

    Kept, since each name and version means reading all metadata of a package, its README included; what is installed
    while the process runs is not seen.
    """
    found = [(package_of(point), point) for point in importlib.metadata.entry_points(group=group)]
    return sorted(found, key=lambda each: each[0])


def _files(point: EntryPoint) -> Iterator[Path]:
    for folder in _folders(point):
        yield from sorted(folder.glob("*.yaml"))


def _folders(point: EntryPoint) -> Iterator[Path]:
    """Folders of the package that an entry point names: one, or several of a namespace package."""
    top, *below = point.value.strip().split(".")
    if not all(part.isidentifier() for part in (top, *below)):
        return
    try:
        spec = importlib.util.find_spec(top)  # for a name without dots it imports nothing
    except (ImportError, ValueError):
        return
    for place in (spec and spec.submodule_search_locations) or ():
        yield Path(place, *below)
