"""Videos: where they lie, how they are decoded, and the clips of them that a training sees.

- open: which data set a folder or a configuration is; clips: its clips, and batches of them for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .clips import Clips, loader
    from .open import open_dataset

__all__ = ["Clips", "loader", "open_dataset"]

_HOMES = {"Clips": "inrvid.data.clips", "loader": "inrvid.data.clips", "open_dataset": "inrvid.data.open"}
# A listing of data needs no torch.
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
