"""Augmentations: temporal_scale."""
