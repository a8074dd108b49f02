"""Names that a package imports at their first use (PEP 562)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(module: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of `module`, for names that live elsewhere.

        __getattr__, __dir__ = lazy_names(__name__, {"Grid": "inrvid.grid", "value_at": "inrvid.schedule:at"})

    Args:
        homes: public name → the module that has it, or `module:name` where it has another name there.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        home, _, own_name = homes[name].partition(":")
        return getattr(importlib.import_module(home), own_name or name)

    return get, lambda: sorted(homes)
