"""Motions: filtered_noise, of the filters in low_pass."""
