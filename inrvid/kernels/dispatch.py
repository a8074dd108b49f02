"""Which implementation of an operation runs.

`auto` takes Triton on CUDA, the fast path on the CPU, and the definition where neither serves: other devices,
float64 on CUDA, a machine without Triton (said once, as it is slow).
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ..errors import InrvidError

Path = Literal["auto", "definition", "cpu", "triton"]
PATHS = get_args(Path)

Capability = tuple[int, int]
"""Of a CUDA device: major, minor."""

_forced: Path | None = None
_triton: bool | None = None


@contextlib.contextmanager
def using(path: Path) -> Iterator[None]:
    """Inside, every operation runs this way: `definition`, `cpu` (on tensors there alone), `triton`, or `auto`.

    It holds for the whole process, as backward passes run on threads of their own.
    """
    global _forced
    before, _forced = _forced, _checked(path, "using")
    try:
        yield
    finally:
        _forced = before


def path_for(x: Tensor) -> Path:
    """The path that an operation on `x` takes now."""
    forced = _forced or _checked(os.environ.get("INRVID_KERNELS", "auto"), "INRVID_KERNELS")
    if forced != "auto":
        return forced
    if x.device.type == "cpu":
        return "cpu"
    if x.device.type == "cuda" and x.dtype != torch.float64 and _triton_found():
        return "triton"
    return "definition"


def pick(
    name: str,
    x: Tensor,
    definition: Callable[..., Any],
    cpu: Callable[..., Any] | None,
    half_from: Capability = (0, 0),
) -> Callable[..., Any]:
    """The implementation of the operation `name` for inputs like `x`.

    The Triton path of an operation in `kernels/<file>.py` is the function of that name in `kernels/triton/<file>.py`;
    where there is no such function or file, or the chip is older than `half_from` and x in half precision, the
    definition runs there too.
    """
    path = path_for(x)
    if path == "triton" and half_from > (0, 0) and x.dtype.itemsize == 2 and _capability(x.device) < half_from:
        return definition
    if path == "triton":
        return getattr(_triton_module(definition.__module__.rpartition(".")[2]), name, definition)
    return cpu if path == "cpu" and cpu is not None else definition


def _capability(device: torch.device) -> Capability:
    """Of another device than a GPU: that of any; the interpreter has no limits."""
    return torch.cuda.get_device_capability(device) if device.type == "cuda" else (99, 0)


@functools.cache
def _triton_module(file: str) -> ModuleType | None:
    name = f"{__package__}.triton.{file}"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def _checked(value: str, where: str) -> Any:
    if value not in PATHS:
        raise InrvidError(f"{where}: '{value}' is no path of the kernels: expected one of {', '.join(PATHS)}")
    return value


def _triton_found() -> bool:
    global _triton
    if _triton is None:  # a variable: Dynamo warns of functions that are cached
        _triton = importlib.util.find_spec("triton") is not None
        if not _triton:
            warnings.warn(
                "Triton is not installed: the kernels run as plain PyTorch, which is several times slower on this "
                "GPU; pip install 'inrvid[cuda]'",
                stacklevel=2,
            )
    return _triton
