"""MoCoGAN-HD (ICLR 2021) for inrvid: a video is a path in the W space of a frozen image generator.

- generators: the path through an image generator (`mocogan_hd`), StyleGAN2 with inputs of noise (`stylegan2_noise`);
- motion: the path (`latent_walk`);
- discriminators, losses: the game, for videos of what the image generator shows, or of something else (`…_cross`);
- official: weights of the release's layout.
"""

from .official import from_official

__all__ = ["from_official"]
