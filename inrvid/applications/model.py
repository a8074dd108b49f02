"""A saved model, ready to be used on this machine."""

from __future__ import annotations

from pathlib import Path

import torch

from ..generators.base import VideoGenerator
from ..kernels.pages import keep_pages
from ..models.pretrained import load_generator
from ..precision import set_tf32


def open_model(model: str | Path, *, precision: str | None = None, cpu: bool = False) -> VideoGenerator:
    """A generator in evaluation mode, on the accelerator if there is one.

    Args:
        model: a folder, a run, or a Hub repository `owner/name`.
        precision: fp32, tf32, bf16, fp16; default: the model's own, or fp32 where that is tf32.
        cpu: do not use an accelerator.

    Raises:
        InrvidError: no such model, damaged, or a component whose package is missing.
    """
    generator = load_generator(model, precision=precision)
    set_tf32(precision or "fp32")
    device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
    if device.type == "cpu":
        keep_pages()
    return generator.to(device)
