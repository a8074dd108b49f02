"""From the host to a device, without waiting for it."""

from __future__ import annotations

import torch
from torch import Tensor


def to_device(x: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """x on a device, in `dtype` or its own. A copy from the host is queued on the device, and the host does not wait.

    CUDA can queue copies only from pinned memory: for any other, the host may wait until the device has done its work.
    """
    x = x if dtype is None else x.to(dtype)
    from_host = x.device.type == "cpu"
    if from_host and device.type == "cuda":
        x = x.pin_memory()
    return x.to(device, non_blocking=from_host)
