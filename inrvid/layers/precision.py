"""Where half precision, or single precision, is not enough."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..errors import InrvidError

Method = TypeVar("Method", bound=Callable[..., Any])


def without_autocast(method: Method) -> Method:
    """Make a method compute as outside `torch.autocast`: networks decide themselves what runs in half precision
    (`train.precision`), and phases, styles and sums of pictures must not."""

    @functools.wraps(method)
    def run(*args: Any, **kwargs: Any) -> Any:
        around = [kind for kind in ("cuda", "cpu") if torch.is_autocast_enabled(kind)]
        if not around:
            return method(*args, **kwargs)
        with torch.autocast(around[0], enabled=False), torch.autocast(around[-1], enabled=False):
            return method(*args, **kwargs)

    return run  # type: ignore[return-value]


def check_float64(device: torch.device) -> None:
    """Raise InrvidError if a device, such as Apple's and some of Intel's GPUs, lacks float64, in which times and phases
    are computed."""
    if device.type in ("cpu", "cuda", "meta"):
        return
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (TypeError, RuntimeError):
        raise InrvidError(
            f"{device}: it has no float64, in which times and phases are computed: leave the generator on the CPU"
        ) from None


def at_least_float32(x: Tensor) -> Tensor:
    """float16 and bfloat16 become float32; float32 and float64 stay."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def in_float64(module: nn.Module, *args: Any) -> Any:
    """`module(*args)` with its parameters and buffers as float64.

    The module is not modified, not even during the call, as other threads may be using it. (`functional_call` swaps
    the casts in and out again; where it must be used, threads wait for one another.)
    """
    if not torch.compiler.is_compiling() and all(map(_is_plain, module.modules())):
        return _as_float64(module)(*args)
    tensors = {name: _double(x) for name, x in [*module.named_parameters(), *module.named_buffers()]}
    with contextlib.nullcontext() if torch.compiler.is_compiling() else _one_at_a_time:
        return torch.func.functional_call(module, tensors, args)


_one_at_a_time = threading.RLock()


def _is_plain(module: nn.Module) -> bool:
    """Whether its class alone defines what it computes: nothing is bound to this very object, and no submodule is held
    where `nn.Module` does not know of it."""
    own = {key: value for key, value in module.__dict__.items() if key not in _MODULE}
    holders = (value for value in own.values() if isinstance(value, list | tuple | dict))
    held = (item for holder in holders for item in (holder.values() if isinstance(holder, dict) else holder))
    bound = own.get("_compiled_call_impl") is not None or any(callable(value) for value in (*own.values(), *held))
    return not bound


_MODULE = {*nn.Module().__dict__}
"""Attributes that every module has. Its hooks, which are among them, receive whichever module is called."""


def _as_float64(module: nn.Module) -> nn.Module:
    """A module of the same structure whose tensors are casts; gradients reach the original's tensors."""
    twin = module.__new__(type(module))
    twin.__dict__.update(module.__dict__)
    twin.__dict__["_parameters"] = {name: None if x is None else _double(x) for name, x in module._parameters.items()}
    twin.__dict__["_buffers"] = {name: None if x is None else _double(x) for name, x in module._buffers.items()}
    twin.__dict__["_modules"] = {name: None if m is None else _as_float64(m) for name, m in module._modules.items()}
    return twin


def _double(x: Tensor) -> Tensor:
    return x.double() if x.is_floating_point() else x
