"""Kernels of other packages, found by entry point."""

from __future__ import annotations

import importlib.metadata
import threading
import warnings

from .dispatch import undone_on_error

PLUGIN_GROUP = "inrvid.kernels"

_lock = threading.RLock()
_loaded = False


def load_plugins() -> None:
    """Import the modules that entry points of the group `inrvid.kernels` name, once per process.

    Those that fail to import are left out, with a warning that names their package.
    """
    global _loaded
    with _lock:  # other threads wait; a plugin that calls an operation meanwhile runs without those still to come
        if _loaded:
            return
        _loaded = True
        points = importlib.metadata.entry_points(group=PLUGIN_GROUP)
        for point in sorted(points, key=lambda point: (point.name, point.value)):
            _load(point)


def _load(point: importlib.metadata.EntryPoint) -> None:
    try:
        with undone_on_error():
            point.load()
    except Exception as error:
        package = f"{point.dist.name} {point.dist.version}" if point.dist else point.module
        upgrade = f"\n  upgrade or uninstall it: pip install -U {point.dist.name}" if point.dist else ""
        warnings.warn(
            f"the kernels '{point.name}' of {package} are left out, as {point.value} failed to import: "
            f"{type(error).__name__}: {error}{upgrade}",
            stacklevel=2,
        )
