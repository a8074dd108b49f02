"""Weights that a user brings: read as data, and identified in records by the sha256 of their file.

A file is kept in the cache as it was brought, so that its sha256 stays the same, and read there as at any other path.
What it should be is not known beforehand: whether it fits the network is found out by building the detector with it.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from torch import Tensor

from ...errors import InrvidError
from ...files import expanded, read_bytes, replacing
from ...models.pickles import read_state_dict
from ...registry import registry
from ...weights import WeightsError, read_weights
from .base import NotHere
from .sources import Brought, cached

UNDER = ("state_dict", "model", "module")
"""Keys under which training checkpoints keep a network's weights."""


def find_brought(source: Brought, path: str | None = None, sha256: str | None = None) -> tuple[dict[str, Tensor], str]:
    """Tensors by name, and the sha256 of their file: `path`, else the one in the cache.

    Args:
        sha256: what it must be.

    Raises:
        NotHere: nobody has brought it yet; the message says what it is and how to bring it.
        InrvidError: it cannot be read, or is not what it should be.
    """
    if path is None and not cached(source).exists():
        raise NotHere(missing(source))
    return read_tensors(expanded(path) if path else cached(source), source.most_bytes, sha256)


def read_tensors(path: Path, most_bytes: int, sha256: str | None = None) -> tuple[dict[str, Tensor], str]:
    """Tensors by name from a file (safetensors or a PyTorch state dict), and its sha256. Read as data: no code in it
    runs.

    Raises:
        InrvidError: it cannot be read, is neither, or has another sha256.
    """
    content = _content(path, most_bytes)
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise InrvidError(f"{path}: its sha256 is {found}, not {sha256} as asked for")
    try:
        if content[8:9] == b"{":
            return read_weights(path), found
        return read_state_dict(content, most_bytes, UNDER), found
    except WeightsError as error:
        raise InrvidError(f"{path}: {error}") from None


def read_script(source: Brought, path: str | None = None) -> bytes:
    """The content of a TorchScript file. As that is code, only the file on the list is taken.

    Raises:
        NotHere: nobody has brought it.
        InrvidError: it is another file.
    """
    if path is None and not cached(source).exists():
        raise NotHere(missing(source))
    place = expanded(path) if path else cached(source)
    content = _content(place, source.most_bytes)
    if (found := hashlib.sha256(content).hexdigest()) != source.sha256:
        raise InrvidError(f"{place}: sha256 is {found}, {source.sha256} is expected: TorchScript is code, not loaded")
    return content


def keep(source: Brought, path: Path) -> Path:
    """Copy a file to the cache if the detector takes it. Returns where it is kept.

    Raises:
        InrvidError: the detector does not take it. The cache is then as it was.
        OSError: the cache cannot be written.
    """
    registry("detectors").build({"type": source.name, "weights": str(path)})
    with replacing(cached(source)) as temporary:
        shutil.copyfile(path, temporary)
    return cached(source)


def missing(source: Brought) -> str:
    known = f"sha256 {source.sha256}" if source.sha256 else "no sha256 is known: records will name that of yours"
    return (
        f"no weights of {source.name}: {source.file} ({known}) is needed: get it from {source.origin}, then: "
        f"{source.remedy}"
    )


def _content(path: Path, most_bytes: int) -> bytes:
    try:
        return read_bytes(path, most_bytes)
    except OSError as error:
        raise InrvidError(f"{path}: cannot be read: {error.strerror or error}") from None
