"""Videos: where they are stored, how they are decoded, and the clips that training draws from them.

- open: the data set that a folder or a configuration describes; clips: its clips, and endless batches of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .clips import Clips, loader
    from .open import open_dataset

__all__ = ["Clips", "loader", "open_dataset"]

_HOMES = {"Clips": "inrvid.data.clips", "loader": "inrvid.data.clips", "open_dataset": "inrvid.data.open"}
# Importing the package needs no torch.
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
