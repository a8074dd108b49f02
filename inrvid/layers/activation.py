"""Leaky ReLU as the StyleGAN family uses it: slope 0.2, gain √2.

The function is homogeneous, lrelu(a·x) = a·lrelu(x) for a > 0: layers apply the gain to their weights and bias,
where it costs nothing per pixel, and call the activation (`kernels.bias_act`) without it.
"""

from __future__ import annotations

from ..kernels.bias_act import SLOPE

__all__ = ["GAIN", "SLOPE"]

GAIN = 2**0.5
"""Nearly keeps the second moment of a unit Gaussian (×1.04 for slope 0.2)."""
