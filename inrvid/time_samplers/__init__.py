"""Which times of a clip the discriminator sees.

- base; beta_pair: DIGAN; random_distance: StyleGAN-V; consecutive: MoCoGAN; uniform.
"""
