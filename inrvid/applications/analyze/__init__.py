"""The papers' analyses of a trained model, each a function that returns a `Finding`: numbers, curves and pictures.

- motion_features: PCA of the motion codes over time, at each place where motion enters (DIGAN, figure 11);
- intervals: what the discriminator makes of the time between frames (DIGAN, figure 10);
- cycles: when positional encodings of time repeat (StyleGAN-V, figure 9);
- gradient_maps: where the discriminator looks (StyleGAN-V, figure 4);
- slices: a line of pixels over time;
- long_videos: whether they repeat themselves, and how much motions of one content differ;
- run: all of them, for one model.
"""
