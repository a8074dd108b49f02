"""The layouts of the papers' releases, one file each, and the conversion of their networks to inrvid's.

- layout: what a layout says; family: what the releases share; images: the discriminator of single frames;
- digan, stylegan_v (proven by golden files); inr_gan, stylegan2_ada (not proven as a whole);
- describing, loading: a stored network → its configuration → inrvid's network; opening: files of them.

Only names, shapes and settings are translated, by these tables; no number changes.
"""

from .digan import DIGAN
from .layout import Layout, Part, Rules, below, renamed
from .layouts import LAYOUTS
from .opening import from_official
from .stylegan_v import STYLEGAN_V

__all__ = ["DIGAN", "LAYOUTS", "STYLEGAN_V", "Layout", "Part", "Rules", "below", "from_official", "renamed"]
