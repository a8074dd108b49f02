"""docs/site/: modules of the hooks, imported from their folder."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from .commands import ROOT


def module(name: str) -> ModuleType:
    sys.path.insert(0, str(ROOT / "docs" / "site"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)
