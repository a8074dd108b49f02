"""Videos: where they lie, how they are decoded, and the clips of them that a training sees.

- open: which data set a folder or a configuration is; clips: its clips, and batches of them for ever.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clips import Clips, loader
    from .open import open_dataset

_HOMES = {"Clips": "clips", "loader": "clips", "open_dataset": "open"}
__all__ = ["Clips", "loader", "open_dataset"]


def __getattr__(name: str) -> Any:
    """Names are imported at their first use (PEP 562): a listing of data needs no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'inrvid.data' has no attribute '{name}'")
    return getattr(importlib.import_module(f"inrvid.data.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
