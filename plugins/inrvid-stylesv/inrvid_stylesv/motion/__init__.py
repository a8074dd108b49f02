"""Motions: b_spline (StyleSV), first_frame (StyleInV)."""
