"""MoCoGAN (CVPR 2018) and MoCoGAN+SG2 (StyleGAN-V, CVPR 2022) for inrvid.

- gru: its motion; generator: its G; convolutions: what its discriminators are made of; discriminator: MoCoGAN's two;
  discriminator_sg2: MoCoGAN+SG2's two; loss; official: weights of the releases.
MoCoGAN+SG2's generator is the library's own `stylegan2` with the motion `lstm`, its loss `logistic`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .official import from_official

__all__ = ["from_official"]


def __getattr__(name: str) -> Any:
    """`from_official`, imported at its first use: `import inrvid_mocogan` loads no torch."""
    if name != "from_official":
        raise AttributeError(f"module 'inrvid_mocogan' has no attribute '{name}'")
    from .official import from_official

    return from_official
