"""PyTorch's recurrent layers, for networks that are differentiated in evaluation mode.

On a GPU they are cuDNN's, whose backward pass exists in training mode only; but a search for the noise of a given video
(`inrvid project`, guided edits) has the generator in evaluation mode. The modes differ only in dropout, and there is
none here: so these layers always stay in training mode.
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
