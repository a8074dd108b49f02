"""Other people's pickles, read without running anything in them.

`read_pickle` makes numbers, strings, containers and NumPy arrays, and nothing else: no name in the file is ever
imported or called. A name in the `machine`'s program is looked up in a table (`MAKERS`) of functions of this module;
whatever is not there is refused.

Sizes are bounded by the file's: every number of an array must be in it, shared values stay shared, and nothing is
allocated because of a count that the file merely claims. `snapshots` reads networks that were pickled whole, and
`read_state_dict` PyTorch's own files with `torch.load(weights_only=True)`, both under the same rules.
"""

from __future__ import annotations

import functools
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..weights import WeightsError
from .machine import Budget, Machine, Unfinished, keys, mapping

LIMIT = 2 * 2**30
"""Bytes of a pickle, and of the tensors in a file of PyTorch, at most."""

_NUMBERS = "biufc"
"""The kinds of NumPy types that are read: booleans, integers, real and complex numbers; objects, for one, are not."""


def read_pickle(content: bytes) -> Any:
    """The value of a pickle, of any protocol: None, numbers, text, bytes, lists, tuples, dicts, sets, NumPy arrays and
    scalars of numbers. Text of Python 2 is read as Latin-1.

    Raises:
        WeightsError: it holds anything else (the message names it), is damaged, or too large.
    """
    if len(content) > LIMIT:
        raise WeightsError(f"too large: a pickle of {len(content)} bytes, where at most {LIMIT} are expected")
    return Machine(MAKERS, HELD, Budget.of(content)).read(content)


def read_state_dict(content: bytes, limit: int | None = None, under: Sequence[str] = ("state_dict",)) -> dict[str, Any]:
    """Tensors by name, on the CPU, of a file that `torch.save` wrote: a state dict, or a mapping with one in it.

    Args:
        limit: bytes of the tensors; default: `LIMIT`.
        under: keys below which a mapping may have it.

    Raises:
        WeightsError: it holds anything but tensors by name (TorchScript is code), is damaged, or too large.
    """
    import torch

    limit = LIMIT if limit is None else limit
    if (size := _unpacked(content)) > limit:
        raise WeightsError(f"too large: tensors of {size} bytes, where at most {limit} are expected")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TorchScript is no state dict is said below
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # of many types, for whatever a file may hold
        if named := re.search(r"GLOBAL (\S+)", str(error)):
            raise WeightsError(f"not a state dict: it holds {named[1]!r}: only tensors by name are read") from None
        reason = str(error).rsplit("WeightsUnpickler error: ")[-1].strip().split("\n")[0]  # advice stands before it
        raise WeightsError(f"not a state dict, or damaged: {reason[:200]}") from None
    if isinstance(loaded, Mapping):
        loaded = next((loaded[key] for key in under if isinstance(loaded.get(key), Mapping)), loaded)
    if not isinstance(loaded, Mapping) or not loaded:
        raise WeightsError(f"not a state dict: it holds {'nothing' if loaded == {} else type(loaded).__name__}")
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise WeightsError(f"not a state dict: {str(name)[:80]!r} is of type {type(value).__name__}, not a tensor")
    return dict(loaded)


def _dtype(spec: Any, *_: Any) -> Unfinished:
    """A type of numbers by its short name. Raises WeightsError for any other type, which could hold objects."""
    text = spec.decode("ascii") if isinstance(spec, bytes) else spec
    if not isinstance(text, str) or text[:1] not in [*_NUMBERS] or len(text) > 3:
        raise WeightsError(f"it holds an array of {str(text)[:40]!r}, which are no numbers")
    return Unfinished(functools.partial(_in_order, np.dtype(text)))


def _in_order(dtype: np.dtype, state: Any) -> np.dtype:
    """A type of numbers in the byte order that its state gives: (version, '<' or '>' or '|', …)."""
    order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
    return dtype.newbyteorder(">") if order == ">" else dtype.newbyteorder("<")


def _array(numbers: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    """An array with its own memory. Raises ValueError if there are not as many numbers as its shape says."""
    if not isinstance(dtype, np.dtype) or dtype.kind not in _NUMBERS or not isinstance(shape, tuple):
        raise ValueError("no shape, or no type of numbers")
    data = numbers.encode("latin-1") if isinstance(numbers, str) else numbers
    if not isinstance(data, bytes | bytearray | memoryview) or any(type(side) is not int or side < 0 for side in shape):
        raise ValueError("an array's numbers are not bytes, or its shape no sizes")
    flat = np.frombuffer(data, dtype) if data else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if order == "F" else "C").copy()


def _with_state(state: Any) -> np.ndarray:
    """An array from its state: (version, shape, type, whether in Fortran order, numbers)."""
    _, shape, dtype, fortran, numbers = state
    return _array(numbers, dtype, shape, "F" if fortran else "C")


def _scalar(dtype: Any, numbers: Any) -> Any:
    return _array(numbers, dtype, (), "C")[()]


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """Bytes, as protocols before 3 write them. Raises WeightsError for another encoding, which could be any codec."""
    if encoding not in ("latin1", "latin-1"):
        raise WeightsError(f"it holds bytes by the codec {str(encoding)[:40]!r}")
    return text.encode("latin-1")


def _ordered(items: Any = ()) -> dict:
    """A dict of pairs, or of nothing, in which case it is filled later."""
    return mapping([value for key, item in items for value in (key, item)])


def _unpacked(content: bytes) -> int:
    """Bytes that a zip says it holds (PyTorch's files since 1.6 are zips), or those of the file itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return len(content)


MAKERS: dict[str, Callable[..., Any]] = {
    "numpy.core.multiarray._reconstruct": lambda *_: Unfinished(_with_state),
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _array,
    "numpy.dtype": _dtype,
    "_codecs.encode": _encoded,
    "collections.OrderedDict": _ordered,
    **dict.fromkeys(("builtins.bytes", "__builtin__.bytes"), lambda: b""),
    **dict.fromkeys(("builtins.set", "__builtin__.set"), lambda items: set(keys(items))),
    **dict.fromkeys(("builtins.frozenset", "__builtin__.frozenset"), lambda items: frozenset(keys(items))),
    **dict.fromkeys(("builtins.complex", "__builtin__.complex"), lambda real, imaginary: complex(real, imaginary)),
}
"""Names that a file may call → what is called in their place. (Python 2 calls `builtins` `__builtin__`.)"""

HELD = {"numpy.ndarray"}
"""Names that a file may hold but not call."""
