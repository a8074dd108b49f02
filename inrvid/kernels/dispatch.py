"""Which implementation of an operation runs.

Implementations are registered for a device, the least capability of its chips, and the types that they take. Of those
that suit a tensor, the one for the newest chips runs; if there is none, the operation's definition. If Triton or a
newer chip would make a GPU faster, a single warning says so, as the definition is several times slower.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ..errors import InrvidError
from ..packages import TRITON

Backend = Literal["auto", "definition", "cpu", "triton"]
BACKENDS = get_args(Backend)

Function = Callable[..., Any]

Capability = tuple[int, int]
"""Compute capability of a CUDA device: (major, minor)."""

OLDEST: dict[str, Capability] = {"triton": (7, 0)}
"""The oldest chips that a module compiles for."""

FULL = (torch.float32, torch.float64)
HALF = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Implementation:
    """A function that does an operation's work, and the tensors that it takes."""

    target: Function | str
    """The function, or `module:function`, which is imported when it runs for the first time."""
    device: str
    """As in `tensor.device.type`: cpu, cuda, ..."""
    capability: Capability = (0, 0)
    """The oldest chip that it runs on."""
    dtypes: frozenset[torch.dtype] | None = None
    """Types of the operation's first tensor; None: any."""
    requires: str = ""
    """A module that must be installed."""

    @property
    def package(self) -> str:
        module = self.target if isinstance(self.target, str) else self.target.__module__
        return module.partition(":")[0].partition(".")[0]

    @property
    def place(self) -> tuple[Any, ...]:
        """What no two packages may both implement."""
        return self.device, self.capability, self.dtypes

    def load(self) -> Function:
        if not isinstance(self.target, str):
            return self.target
        module, _, name = self.target.partition(":")
        return getattr(importlib.import_module(module), name)


_implementations: dict[str, tuple[Implementation, ...]] = {}
"""By the operation's name, in the order of their registration."""

_picked: dict[tuple[str, Backend, torch.device, torch.dtype], Function] = {}
"""What was picked before."""

_forced: Backend | None = None
_warned = False


def add(operation: str, new: Implementation) -> None:
    """Register an implementation. A package may replace its own, and the library's.

    Raises:
        InrvidError: two packages implement the operation for the same `place`.
    """
    own = [one for one in _implementations.get(operation, ()) if (one.package, one.place) != (new.package, new.place)]
    for other in own:
        if other.place == new.place and "inrvid" not in (other.package, new.package):
            raise InrvidError(
                f"the operation '{operation}' is implemented for {new.device} by {other.package} and by "
                f"{new.package}: uninstall one of them"
            )
    _replace({**_implementations, operation: (*own, new)})


@contextlib.contextmanager
def undone_on_error() -> Iterator[None]:
    """If an exception leaves it, the implementations that were registered inside are forgotten."""
    before = _implementations
    try:
        yield
    except BaseException:
        _replace(before)
        raise


def _replace(implementations: dict[str, tuple[Implementation, ...]]) -> None:
    """Replace the dictionary of picks as well, so that a thread that is picking leaves its choice in the old one."""
    global _implementations, _picked
    _implementations = implementations
    _picked = {}


@contextlib.contextmanager
def use_backend(backend: Backend) -> Iterator[None]:
    """Within this context, every operation runs on this backend.

    It holds for the whole process, as backward passes run on threads of their own.

    Args:
        backend: `definition`; `cpu`: implementations for the CPU (for CPU tensors only); `triton`: those that require
            Triton (on a CPU, in its interpreter); or `auto`: those for the tensor's device.

    Raises:
        InrvidError: no such backend.
    """
    global _forced
    before, _forced = _forced, _checked(backend, "use_backend")
    try:
        yield
    finally:
        _forced = before


def current_backend() -> Backend:
    """The backend of `use_backend`, else of INRVID_KERNELS in the environment. Raises InrvidError if the latter is no
    backend."""
    return _forced or _checked(os.environ.get("INRVID_KERNELS", "auto"), "INRVID_KERNELS")


def on_cpu_backend(x: Tensor) -> bool:
    """Whether operations on `x` run their implementations for the CPU now."""
    backend = current_backend()
    return backend == "cpu" or (backend == "auto" and x.device.type == "cpu")


def pick(name: str, x: Tensor, definition: Function) -> Function:
    """The implementation of the operation `name` for inputs like `x`, or else its definition."""
    backend = current_backend()
    if backend == "definition":
        return definition
    picked, key = _picked, (name, backend, x.device, x.dtype)
    found = picked.get(key)
    if found is None:
        from .plugins import load_plugins  # here, as they register implementations with this module

        load_plugins()
        picked = _picked  # anew, as plugins may have registered some
        best = _best(name, x, backend)
        found = picked[key] = definition if best is None else best.load()
    return found


def _best(name: str, x: Tensor, backend: Backend) -> Implementation | None:
    """The suitable implementation with the highest capability; of several, the one that was registered last."""
    suitable = [one for one in _implementations.get(name, ()) if _suits(one, x, backend)]
    missing = [one for one in suitable if backend == "auto" and not _installed(one.requires)]
    usable = [one for one in suitable if one not in missing and _oldest(one) <= _capability(x.device)]
    if suitable and not usable and x.device.type == "cuda":
        _warn(name, x, missing[0].requires if missing else None)
    return max(reversed(usable), key=lambda one: one.capability, default=None)


def _suits(one: Implementation, x: Tensor, backend: Backend) -> bool:
    if one.dtypes is not None and x.dtype not in one.dtypes:
        return False
    if backend == "triton":
        return one.requires == "triton"
    if backend == "cpu":
        return one.device == "cpu"
    # On a GPU, float64 is for checking the kernels: it runs the definitions, which they are compared with.
    return one.device == x.device.type and not (one.device == "cuda" and x.dtype == torch.float64)


def _oldest(one: Implementation) -> Capability:
    """The oldest chip that it runs on."""
    return max(one.capability, OLDEST.get(one.requires, (0, 0)))


def _capability(device: torch.device) -> Capability:
    """A GPU's capability; any other device counts as the newest: Triton's interpreter has no limits."""
    return torch.cuda.get_device_capability(device) if device.type == "cuda" else (99, 0)


@functools.cache
def _installed(module: str) -> bool:
    return not module or importlib.util.find_spec(module) is not None


def _warn(name: str, x: Tensor, missing: str | None) -> None:
    """Warn once per process that `missing`, or else a newer chip, would be faster."""
    global _warned
    if _warned:
        return
    _warned = True
    if missing == "triton":
        message = (
            "Triton is not installed: the kernels run as plain PyTorch, which is several times slower on this GPU; "
            f"{TRITON}"
        )
    elif missing:
        message = f"{missing} is not installed: '{name}' runs as plain PyTorch, which is slower on this GPU"
    else:
        chip = ".".join(map(str, _capability(x.device)))
        message = (
            f"'{name}' runs as plain PyTorch in {str(x.dtype).removeprefix('torch.')}, which is slower: its kernels "
            f"are for newer GPUs than this one (compute capability {chip})"
        )
    warnings.warn(message, stacklevel=2)


def _checked(value: str, where: str) -> Any:
    if value not in BACKENDS:
        raise InrvidError(f"{where}: '{value}' is not a kernel backend: expected one of {', '.join(BACKENDS)}")
    return value
