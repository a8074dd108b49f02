"""Constant tensors that a layer computes with but does not learn."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import Self


class Tables(nn.Module, abc.ABC):
    """A module with constant tensors: buffers that are not saved, whose values `tables` defines.

    Casting the module casts its parameters alone: rounded frequencies would be wrong ones, an hour into a video. On
    another device, the tables are made again, as those of a module built without memory (`meta`) hold nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_load_state_dict_post_hook(_follow)

    @abc.abstractmethod
    def tables(self) -> dict[str, Tensor]:
        """The tensors by name, on the CPU, each in its own precision."""

    def make_tables(self, device: torch.device) -> None:
        """Make the buffers on `device`. To be called as soon as what `tables` needs exists."""
        for name, value in self.tables().items():
            self.register_buffer(name, value.to(device), persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        own = {name: self.get_buffer(name) for name in self.tables()}
        super()._apply(fn, recurse)
        for name, before in own.items():
            device = self.get_buffer(name).device
            if device != before.device:
                self.make_tables(device)
                break
            self._buffers[name] = before  # the very same tensor: a recorded graph reads its memory
        return self


def _follow(module: nn.Module, loaded: Any) -> None:
    """Follow the parameters after weights were loaded: with `assign`, these may have come to another device."""
    assert isinstance(module, Tables)
    device = next(module.parameters()).device
    if any(module.get_buffer(name).device != device for name in module.tables()):
        module.make_tables(device)
