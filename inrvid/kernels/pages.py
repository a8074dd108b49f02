"""Memory that stays with the process, where the C library would hand it back after every step."""

from __future__ import annotations

import ctypes
import functools
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


@functools.cache
def keep_pages() -> bool:
    """Tell glibc to keep freed memory for the next allocation; return whether that succeeded.

    By default, every tensor of more than a few MB is mapped anew, and the kernel clears its pages one fault at a
    time: on a CPU that can take as long as the arithmetic. The process then never shrinks below its peak, which is
    why programs call this (training, generating, benchmarks) and the library on its own does not.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    return mallopt is not None and bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
