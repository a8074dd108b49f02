"""Detectors: networks with known weights that turn clips into features.

`base` says what one offers. `sources` lists the packages that have weights, and the files that a user brings; `fetch`
gets them, `weights` and `brought` find them again, and `layouts` knows the names that others give their tensors.
"""
