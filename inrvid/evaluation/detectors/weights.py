"""Weights of detectors: a file that is given, else the cache, else an installed package.

What is in the cache was put there by `fetch`: safetensors, whose metadata says where they come from, or TorchScript. It
is checked against the list of `sources` whenever it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import InrvidError
from ...files import expanded, read_bytes
from ...models.pickles import read_pickle, read_state_dict
from ...weights import WeightsError, read_metadata, read_weights
from .base import NotHere
from .layouts import LAYOUTS
from .sources import Source, cached, installed_file

MOST_BYTES = 2**30
"""Most bytes of a file of weights: those of detectors have tens of megabytes."""

_ZIP, _PICKLE, _LEGACY_TORCH = b"PK\x03\x04", b"\x80", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files begin."""


@dataclass(frozen=True)
class Weights:
    """Tensors under the names of `layouts`, and what is known of where they come from."""

    tensors: dict[str, Tensor]
    eps: float
    sha256: str
    """Digest of the file as its author published it."""
    package: str = ""
    version: str = ""
    licence: str = ""


def find_weights(source: Source, path: str | None = None, sha256: str | None = None) -> Weights:
    """The weights of a detector: from the file `path`; else from the cache; else from the package, if installed.

    Args:
        path: safetensors (from `fetch`, or with the names of a state dict), a PyTorch state dict, or a pickle of
            arrays. Read as data: no code in it runs.
        sha256: what the sha256 of the file `path` must be.

    Raises:
        InrvidError: there are none, they are not those of the list, or the file is not what it should be. If there are
            none, the message has the file's name, its sha256, and the command that gets it.
    """
    if path is not None:
        return _of_file(source, expanded(path), sha256)
    if cached(source).exists():
        return _of_cache(source)
    if (installed := installed_file(source)) is not None:
        return _of_package(source, installed)
    raise NotHere(_missing(source))


def _missing(source: Source) -> str:
    return (
        f"no weights of {source.name}: {source.file} of {source.package} {source.version}, "
        f"sha256 {source.member_sha256}, is neither in {cached(source).parent} nor installed: {source.remedy}"
    )


def of_author(source: Source, content: bytes) -> Weights:
    """The weights in the file that their author published, which is checked against the list. Raises WeightsError."""
    found = hashlib.sha256(content).hexdigest()
    if found != source.member_sha256:
        raise WeightsError(f"sha256 {found}, where that of {source.file} is {source.member_sha256}")
    tensors, eps = LAYOUTS[source.name](_values(content))
    return Weights(tensors, eps, found, source.package, source.version, source.licence)


def checked_script(source: Source, content: bytes) -> bytes:
    """The content, if it is the TorchScript on the list. It is code: nothing else is loaded. Raises WeightsError."""
    found = hashlib.sha256(content).hexdigest()
    if found != source.member_sha256:
        raise WeightsError(
            f"sha256 {found}, where that of {source.file} is {source.member_sha256}: TorchScript is code"
        )
    return content


def find_script(source: Source) -> bytes:
    """The file in the cache, or of an installed package. Raises InrvidError: it is not there, or another file is."""
    path = cached(source) if cached(source).exists() else installed_file(source)
    if path is None:
        raise NotHere(_missing(source))
    try:
        return checked_script(source, read_bytes(path, MOST_BYTES))
    except (OSError, WeightsError) as error:
        raise InrvidError(f"{path}: {getattr(error, 'strerror', None) or error}: {source.remedy}") from None


def metadata(source: Source, weights: Weights) -> dict[str, str]:
    """What a file in the cache says about itself."""
    return {
        "detector": source.name,
        "package": source.package,
        "version": source.version,
        "licence": source.licence,
        "archive": source.archive,
        "archive_sha256": source.archive_sha256,
        "file": source.file,
        "sha256": weights.sha256,
        "eps": repr(weights.eps),
    }


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """sha256 of names, types, shapes and numbers: the same in whatever file they are kept."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {list(value.shape)}\n".encode())
        digest.update(value.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _of_file(source: Source, path: Path, sha256: str | None) -> Weights:
    try:
        content = read_bytes(path, MOST_BYTES)
    except OSError as error:
        raise InrvidError(f"{path}: cannot be read: {error.strerror or error}") from None
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise InrvidError(f"{path}: its sha256 is {found}, not {sha256} as asked for")
    try:
        if found == source.member_sha256:
            return of_author(source, content)
        if _is_safetensors(content):
            return _of_safetensors(source, path, found)
        tensors, eps = LAYOUTS[source.name](_values(content))
    except WeightsError as error:
        raise InrvidError(f"{path}: {error}") from None
    return Weights(tensors, eps, found)


def _of_safetensors(source: Source, path: Path, sha256: str) -> Weights:
    """Ours, or a state dict that someone has converted. Raises WeightsError."""
    tensors, said = read_weights(path), read_metadata(path)
    if tensors_digest(tensors) == source.tensors_sha256:
        return _listed(source, tensors)
    tensors, eps = LAYOUTS[source.name](tensors)
    return Weights(tensors, _eps(said, eps), sha256)


def _of_cache(source: Source) -> Weights:
    path = cached(source)
    try:
        tensors = read_weights(path)
        if tensors_digest(tensors) != source.tensors_sha256:
            raise WeightsError(f"damaged: its tensors are not those of {source.package} {source.version}")
        return _listed(source, tensors)
    except WeightsError as error:
        raise InrvidError(f"{path}: {error}: {source.remedy}") from None


def _listed(source: Source, tensors: dict[str, Tensor]) -> Weights:
    """Weights with the tensors of the list, whatever their file says about them."""
    return Weights(tensors, source.eps, source.member_sha256, source.package, source.version, source.licence)


def _of_package(source: Source, path: Path) -> Weights:
    try:
        return of_author(source, read_bytes(path, MOST_BYTES))
    except (OSError, WeightsError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InrvidError(f"{path} (of the installed {source.package}): {reason}: {source.remedy}") from None


def _values(content: bytes) -> Mapping[str, Any]:
    """What a PyTorch file or a pickle of arrays holds, by name. Raises WeightsError."""
    if content.startswith((_ZIP, _LEGACY_TORCH)):
        return read_state_dict(content)
    if not content.startswith(_PICKLE):
        raise WeightsError("neither safetensors, nor a file of PyTorch's, nor a pickle of arrays")
    values = read_pickle(content)
    if not isinstance(values, Mapping):
        raise WeightsError(f"a pickle of type {type(values).__name__}, where arrays by name are expected")
    return values


def _is_safetensors(content: bytes) -> bool:
    return content[8:9] == b"{"


def _eps(said: Mapping[str, str], otherwise: float) -> float:
    try:
        return float(said["eps"])
    except (KeyError, ValueError):
        return otherwise
