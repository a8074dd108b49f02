"""Detectors: networks of known weights that make features of clips.

`base` says what one offers. `sources` lists the packages that have weights, `fetch` gets them, `weights` finds them
again, and `layouts` knows the names that others give them.
"""
