"""Augmentations of what the discriminator sees, one draw for all frames of a clip.

- base; none; diffaugment: DIGAN; ada: StyleGAN-V;
- transforms, warp, filter_bank: what ada is made of.
"""
