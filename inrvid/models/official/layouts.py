"""The layouts, and which of them a snapshot has."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...weights import WeightsError
from .digan import DIGAN
from .inr_gan import INR_GAN
from .layout import Layout
from .stylegan2_ada import STYLEGAN2_ADA
from .stylegan_v import STYLEGAN_V

LAYOUTS = [DIGAN, STYLEGAN_V, INR_GAN, STYLEGAN2_ADA]
"""In the order in which their markers are looked for: INR-GAN's is also in DIGAN's weights."""


def layout_of(names: Iterable[str]) -> Layout:
    """The layout whose generator has weights of these names. Raises WeightsError if there is none."""
    names = list(names)
    for layout in LAYOUTS:
        if any(re.fullmatch(layout.marker, name) for name in names):
            return layout
    known = ", ".join(layout.title for layout in LAYOUTS)
    raise WeightsError(f"its generator has the layout of no release that is known ({known}): {', '.join(names[:5])}, …")
