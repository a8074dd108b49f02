"""The data set that a configuration or a path describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import DataError, InrvidError
from ..files import expanded
from ..registry import registry
from .base import VideoDataset
from .finding import OTHERS, files_in, left_out, names_in
from .indexed import IndexedDataset
from .summary import left_out_lines


def open_dataset(config: VideoDataset.Config | Mapping[str, Any]) -> VideoDataset:
    """The data set that `config` (or `{"type": name, "path": …}`) describes, with its index built.

    Raises:
        ConfigError: unknown type or key, wrong value.
        DataError: nothing usable there.
    """
    return registry("datasets").build(config)


def detect(path: str | Path) -> str:
    """The type of data set whose layout `path` has: of those that match, the most specific one.

    Raises:
        DataError: no such path, or no type matches its layout.
    """
    path = expanded(path)
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder")
    kinds = registry("datasets")
    matching = [(-kind.specificity, name) for name, kind in _classes().items() if kind.matches(path)]
    if matching:
        return min(matching)[1]
    on_disk = [name for name, kind in _classes().items() if issubclass(kind, IndexedDataset)]
    looked = "\n".join(f"  {name}: {kinds.summary(name) or 'a plugin'}" for name in on_disk)
    passed: list[Path] = []
    others = left_out([file.name for file in files_in(path, OTHERS, passed)], OTHERS)
    left = left_out_lines(others, names_in(path, passed))
    raise DataError("\n".join([f"{path}: no data set found there. Looked for", looked, *left]))


def _classes() -> dict[str, type[VideoDataset]]:
    kinds, found = registry("datasets"), {}
    for name in kinds.names():
        try:
            found[name] = kinds.component(name)
        except InrvidError:  # a plugin that fails to import; `inrvid plugins list` reports it
            continue
    return found
