"""Generators: latents → φ → frames.

- base: mapping network, motion, latents; what a backbone provides;
- inr: a video as a function of time and space;
- inr_gan: INR-GAN and DIGAN; stylegan2: StyleGAN2 and StyleGAN-V; blocks: what the two share;
- pieces: evaluation piece by piece; graphs: frames by CUDA graphs.
"""
