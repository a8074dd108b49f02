"""What is to be said before PyTorch and Triton are imported: processes that share the tests take a thread each, and
without a GPU Triton's interpreter runs the kernels on the CPU."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # several threads in each of several processes wait for one another
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")
