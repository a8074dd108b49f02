"""Discriminators: frames and their times → logits by head.

- base: what a loss may ask of one;
- dual: DIGAN; hypernetwork: StyleGAN-V.
"""
