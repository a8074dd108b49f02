"""What is known of an installed package that brings something, from its metadata alone: name, version, whether it fits.

A package says in its own metadata for which versions of the library it was made (`dependencies = ["inrvid>=0.1,<1"]`).
pip heeds that when it installs; what was installed otherwise, or before the library changed, is checked here.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, version
from typing import Annotated

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pydantic import AfterValidator, Field

from . import __version__

OURS = "inrvid"

TRITON = (
    "pip install 'inrvid[cuda]'"
    if sys.platform == "linux"
    else "PyPI has it for Linux alone (for Windows: pip install triton-windows)"
)
"""How to install Triton."""


def package_of(point: EntryPoint) -> tuple[str, str]:
    """(name, version) of the package that declares the entry point."""
    return (point.dist.name, point.dist.version) if point.dist else ("?", "")


def misfit(package: Distribution | None) -> str:
    """Why a package does not fit this version of the library, and what to do; empty if it does."""
    for needed in _requirements((package.requires if package else None) or ()):
        if canonicalize_name(needed.name) != OURS or (needed.marker and not needed.marker.evaluate({"extra": ""})):
            continue
        if not needed.specifier.contains(__version__, prereleases=True):
            return (
                f"needs inrvid {needed.specifier}, this is {__version__}: "
                f"pip install -U inrvid {package.name if package else ''}, or uninstall it"
            )
    return ""


def missing(requirements: Iterable[str]) -> dict[str, str]:
    """Packages that do not satisfy requirements such as `lab==1.2`: name → what is wrong, in words."""
    found = {needed.name: _wrong(needed) for needed in _requirements(requirements)}
    return {name: wrong for name, wrong in found.items() if wrong}


def _wrong(needed: Requirement) -> str:
    try:
        installed = version(needed.name)
    except PackageNotFoundError:
        return f"{needed}, which is not installed: pip install {needed.name}"
    if not needed.specifier.contains(installed, prereleases=True):
        return f"{needed}, {installed} is installed: pip install '{needed}'"
    return ""


def _requirement(text: str) -> str:
    if not _requirements([text]):
        raise ValueError("should be a package as pip takes it, such as 'lab' or 'lab>=1.2'")
    return text


PackageText = Annotated[str, Field(max_length=200), AfterValidator(_requirement)]
"""A requirement, in a configuration."""


def tell_ignored(noun: str, name: str, claims: Iterable[tuple[str, str]]) -> None:
    """Warn, once per process, of each package that claims a name of the library's own."""
    for package in claims:
        if (noun, name, package) not in _told:
            _told.add((noun, name, package))
            warnings.warn(taken(noun, name, package), stacklevel=3)


_told: set[tuple[str, str, tuple[str, str]]] = set()


def taken(noun: str, name: str, package: tuple[str, str]) -> str:
    return f"{noun} '{name}' is the library's own: that of {' '.join(package).strip()} is ignored"


def _requirements(texts: Iterable[str]) -> list[Requirement]:
    """The requirements that can be parsed: pip refuses a package with any others."""
    found = []
    for text in texts:
        try:
            found.append(Requirement(text))
        except InvalidRequirement:
            continue
    return found
