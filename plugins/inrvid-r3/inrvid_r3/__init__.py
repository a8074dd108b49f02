"""The relativistic pairing loss of R3GAN (NeurIPS 2024) for inrvid."""
