"""Precisions, as recipes name them (train.precision)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from inrvid.precision import set_tf32

DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def supported(device: torch.device) -> list[str]:
    """Those that the device computes in, and is not merely able to emulate."""
    if device.type == "cuda":
        ampere = torch.cuda.get_device_capability(device) >= (8, 0)
        return ["fp32", "tf32", "bf16", "fp16"] if ampere else ["fp32", "fp16"]
    return ["fp32", "bf16"]


@contextlib.contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """Inside, float32 products of a CUDA device are TF32 with `tf32`, and exact otherwise. What else a training sets
    for the whole process is as it was, afterwards."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    set_tf32(precision)
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before
