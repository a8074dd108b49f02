"""Names that a package imports at their first use (PEP 562)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(module: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of `module`, for names that live elsewhere; `__dir__` gives its `__all__`.

        __getattr__, __dir__ = lazy_names(__name__, {"Grid": "inrvid.grid", "load_recipe": "inrvid.recipe.schema"})

    Args:
        homes: public name → the module that has it.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        return getattr(importlib.import_module(homes[name]), name)

    return get, lambda: sorted(sys.modules[module].__all__)
