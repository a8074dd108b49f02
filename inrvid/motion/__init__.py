"""Motion parametrizations: motion noise and times → codes.

- base: the trunk and its heads;
- global_motion: DIGAN; conv1d: StyleGAN-V; attention, lstm, static;
- codes: what conv1d and attention share; noise: motion noise as endless sequences.
"""
