"""Projected GAN's discriminator (NeurIPS 2021) for clips, and the hinge loss, for inrvid."""
