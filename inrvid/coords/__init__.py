"""Coordinate encodings: points of the plane → features.

- base: the interface of an encoding; affine phases of a grid;
- fourier, fixed (log, random), learned, constant: the encodings that recipes name;
- acyclic: the encoding of time between motion codes.
"""
