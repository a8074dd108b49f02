"""PyTorch's recurrent networks, for networks that are differentiated in evaluation mode.

On a GPU they are cuDNN's, which has a backward pass in training mode alone: what seeks the noise of a given video
(`inrvid project`, guided edits) has the generator in evaluation mode. The modes differ in their dropout, and there is
none here: so these are in training mode for ever.
"""

from __future__ import annotations

from torch import nn
from typing_extensions import Self


class LSTM(nn.LSTM):
    """`torch.nn.LSTM`, without dropout."""

    def train(self, mode: bool = True) -> Self:
        return super().train(True)


class GRU(nn.GRU):
    """`torch.nn.GRU`, without dropout."""

    def train(self, mode: bool = True) -> Self:
        return super().train(True)
