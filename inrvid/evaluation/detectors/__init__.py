"""Detectors: networks of known weights that make features of clips.

`base` says what one offers. `sources` lists the packages that have weights, and the files that a user brings; `fetch`
gets them, `weights` and `brought` find them again, and `layouts` knows the names that others give them.
"""
