"""Weights in safetensors files: checked before they are loaded, and loaded only if they fit the model."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from .files import checked, opened
from .text import is_text


class WeightsError(Exception):
    """Why a file's weights cannot be used: the reason alone, in one line, without the file's name."""


KNOWN = {
    torch.float64, torch.float32, torch.float16, torch.bfloat16,
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
}  # fmt: skip
"""Types that the library writes or reads; PyTorch has few operations on others."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file. Raises WeightsError."""
    _look(path)
    try:
        with _named_in_text(path) as name:
            tensors = load_file(name)
        if odd := sorted(key for key, value in tensors.items() if value.dtype not in KNOWN):
            raise ValueError(f"{odd[0]} is of {str(tensors[odd[0]].dtype).removeprefix('torch.')}")
        return tensors
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise WeightsError(_reason(path, error)) from None


def weights_file(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file's content, the same for equal weights and metadata (whose order safetensors leaves open)."""
    content = save(dict(tensors), dict(metadata))
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = {key: metadata[key] for key in sorted(metadata)}
    ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    ordered += b" " * (-len(ordered) % 8)
    return len(ordered).to_bytes(8, "little") + ordered + content[8 + length :]


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file. Raises WeightsError."""
    _look(path)
    try:
        with _named_in_text(path) as name, safe_open(name, framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise WeightsError(_reason(path, error)) from None


def check_header(path: Path, state: Mapping[str, Tensor]) -> None:
    """Compare a file's names and shapes with those of a model's state, reading no weight. Raises WeightsError."""
    _look(path)
    try:
        with _named_in_text(path) as name, safe_open(name, framework="pt") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise WeightsError(_reason(path, error)) from None
    expected = {name: tuple(value.shape) for name, value in state.items()}
    wrong = sorted({*found.items()} ^ {*expected.items()})
    if wrong:
        name = wrong[0][0]
        ours, theirs = (list(s[name]) if name in s else "none" for s in (expected, found))
        more = len({name for name, _ in wrong}) - 1
        others = f" (and {more} others)" if more else ""
        raise WeightsError(f"these weights do not fit the model: {name}{others}: {theirs} in the file, {ours} expected")


def load_into(module: nn.Module, path: Path) -> None:
    """Fill a model with a file's weights. Raises WeightsError: also where they are not finite floating-point
    numbers."""
    tensors, own = read_weights(path), module.state_dict()
    for name, value in tensors.items():
        if name in own and not own[name].is_floating_point():  # a counter, in a plugin's network
            continue
        if not value.is_floating_point():
            raise WeightsError(
                f"{name} is of {str(value.dtype).removeprefix('torch.')}, weights are floating-point numbers"
            )
        if not value.float().isfinite().all():
            raise WeightsError(f"{name} is not finite (NaN or infinity): a training that diverged, or a damaged file")
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f"these weights do not fit the model: {' '.join(str(error).split())}") from None


def digest_of(module: nn.Module, start: bytes = b"") -> str:
    """sha256 of `start` and all weights, with their names: the same on any device."""
    digest = hashlib.sha256(start)
    for key, value in sorted(module.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


@contextlib.contextmanager
def _named_in_text(path: Path) -> Iterator[str]:
    """A name of the file that is text, as safetensors requires: that of its descriptor, if it has no other."""
    if is_text(str(path)):
        yield str(path)
        return
    with opened(path) as file:
        yield f"/dev/fd/{file.fileno()}"


def _look(path: Path) -> None:
    """Raise WeightsError if this is no safetensors file, saying what is wrong with it."""
    try:
        checked(path)
        with opened(path) as file:
            start = file.read(8)
    except OSError as error:
        raise WeightsError(f"cannot be read: {error.strerror or error}") from None
    if len(start) < 8:
        raise WeightsError(f"cut short: {len(start)} bytes")


def _reason(path: Path, error: Exception) -> str:
    """What is wrong, as far as the first eight bytes (the length of the header) tell."""
    with opened(path) as file:
        header, size = int.from_bytes(file.read(8), "little"), path.stat().st_size
    if isinstance(error, SafetensorError) and header < 100_000_000 and ("ncomplete" in str(error) or header > size):
        return f"cut short, or damaged: {size} bytes are too few for what its header says"
    return f"not a safetensors file, or damaged: {' '.join(str(error).split())}"
