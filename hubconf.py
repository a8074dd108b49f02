"""Models for `torch.hub.load`: the repository's shelf (`hub/`), folders, and repositories of the Hub, such as
`torch.hub.load("OWNER/inrvid", "generator", "digan_landscapes_32")`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

dependencies = ["torch", "einops", "numpy", "pydantic", "safetensors", "huggingface_hub", "yaml"]

_SHELF = Path(__file__).resolve().parent / "hub"


def generator(name: str, **options: Any) -> Any:
    """A generator, in evaluation mode, on the CPU.

    Args:
        name: of a model in `hub/`, a folder, or a repository `owner/name` of the Hub.
        options: revision, token, precision.
    """
    from inrvid import VideoGenerator

    return VideoGenerator.from_pretrained(_found(name), **options)


def discriminator(name: str, **options: Any) -> Any:
    """A discriminator; arguments as of `generator`."""
    from inrvid.discriminators.base import Discriminator

    return Discriminator.from_pretrained(_found(name), **options)


def _found(name: str) -> str | Path:
    shelved = _SHELF / name
    return shelved if "/" not in name and shelved.is_dir() else name
