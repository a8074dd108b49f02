"""What `inrvid plugins check` looks at: the conformance of an installed package's parts, and its recipes."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from ..errors import InrvidError, did_you_mean
from ..inventory import declared
from ..packaged_files import PackagedFile
from ..packages import taken
from ..recipe.file import RECIPES
from ..recipe.schema import load_recipe
from ..registry import Entry, registry
from ..testing.suite import Result, results


def checked(package: str | None, *, quick: bool = False) -> Iterator[tuple[str, Result]]:
    """(what is checked, the result), one after another.

    Args:
        package: default: all that bring parts or recipes.
        quick: leave out the checks that start processes.

    Raises:
        InrvidError: no package of that name brings anything.
    """
    parts = [(kind, entry) for kind, entry in declared() if _is_of(entry.package, package)]
    files = [file for claims in RECIPES.of_others().values() for file in claims if _is_of(file.package, package)]
    if not parts and not files:
        raise InrvidError(_nothing(package))
    for kind, entry in parts:
        for result in _of_part(kind, entry, quick):
            yield f"{kind}.{entry.name}", result
    for file in files:
        yield f"recipe {file.name}", _of_recipe(file)


def _is_of(package: str, asked: str | None) -> bool:
    return asked is None or canonicalize_name(package) == canonicalize_name(asked)


def _nothing(package: str | None) -> str:
    if package is None:
        return "no package that is installed brings parts or recipes: pip install one, or inrvid plugins new"
    known = {entry.package for _, entry in declared()}
    return (
        f"no package '{package}' that is installed brings parts or recipes.{did_you_mean(package, known)}\n"
        f"  of a folder: pip install -e {package}; inrvid plugins list shows what is there"
    )


def _of_part(kind: str, entry: Entry, quick: bool) -> Iterator[Result]:
    try:
        found = registry(kind).entry(entry.name)
    except InrvidError as error:
        yield Result("has its name", "failed", " ".join(str(error).removeprefix("type: ").split()))
        return
    if found != entry:
        yield Result("has its name", "failed", taken(registry(kind).noun, entry.name, entry.provider))
        return
    yield from results(kind, entry.name, quick=quick)


def _of_recipe(file: PackagedFile) -> Result:
    try:
        found = RECIPES.find(file.name)
        if found != file:
            return Result("has its name", "failed", taken(RECIPES.noun, file.name, file.provider))
        load_recipe(file.path)
    except InrvidError as error:
        return Result("is valid", "failed", " ".join(str(error).split()))
    return Result("is valid", "passed")
