"""Building models from a mapping, a recipe's path or a recipe's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import torch
from torch.overrides import TorchFunctionMode

from ..config import PartConfig
from ..discriminators.base import Discriminator
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..recipe.schema import Recipe, load_recipe
from ..registry import registry

Source = Mapping[str, Any] | PartConfig | Recipe | str | Path


def build_generator(source: Source, *, seed: int = 0) -> VideoGenerator:
    """A generator with initial weights.

    Args:
        source: its configuration (`{"type": "inr_gan", ...}`), or a recipe: a path, the name of an installed one, or
            what `load_recipe` gives or takes.
        seed: of the initial weights; the global random state is neither read nor changed.

    Raises:
        InrvidError: unknown names or keys, values of the wrong type or range, no such recipe.
    """
    return _build("generators", "generator", source, seed)


def build_discriminator(source: Source, *, seed: int = 0) -> Discriminator:
    """A discriminator with initial weights; arguments as of `build_generator`."""
    return _build("discriminators", "discriminator", source, seed)


def shapes(kind: str, config: Mapping[str, Any] | PartConfig) -> dict[str, torch.Tensor] | None:
    """What a model's state dict would be, as tensors without memory; None for a part that cannot be built that way.

    Raises:
        InrvidError: as `build_generator`.
    """
    config = registry(kind).validate(config)
    try:
        with torch.device("meta"), _Undrawn():
            return registry(kind).build(config).state_dict()
    except InrvidError:
        raise
    except Exception as error:
        if "overflow" in str(error):  # of a number of elements beyond 2⁶³
            raise InrvidError(f"{kind[:-1]}: its weights would need more bytes than can be counted") from None
        return None  # a plugin's constructor that looks at its tensors


class _Undrawn(TorchFunctionMode):
    """Makes random draws of tensors without memory give their shape only: PyTorch's own definitions of these functions
    for such tensors load its compiler, which takes two seconds. Draws on a device that a constructor names are made."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in (torch.randn, torch.rand) and "device" not in kwargs:
            return torch.empty(*args, **{key: value for key, value in kwargs.items() if key != "generator"})
        if func in _SAME and args[0].is_meta:
            return args[0]
        return func(*args, **kwargs)


_SAME = {torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.div_}
"""Functions that keep a tensor's shape and type."""


def _build(kind: str, key: str, source: Source, seed: int) -> Any:
    config = _config(kind, key, source)
    _check_memory(key, shapes(kind, config) or {})
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        return registry(kind).build(config)


def _config(kind: str, key: str, source: Source) -> PartConfig:
    if isinstance(source, (str, Path)) or (isinstance(source, Mapping) and "type" not in source and source):
        source = load_recipe(source)
    return getattr(source, key) if isinstance(source, Recipe) else registry(kind).validate(source)


def _check_memory(key: str, state: Mapping[str, torch.Tensor]) -> None:
    """Raises InrvidError if the weights alone would not fit into memory, before any of them is allocated."""
    needed, free = sum(value.nbytes for value in state.values()), psutil.virtual_memory().available
    if needed > free:
        raise InrvidError(
            f"{key}: its weights would need {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB of memory are free: "
            "make it smaller (resolution, channel_base, channel_max, z_dim, w_dim)"
        )
