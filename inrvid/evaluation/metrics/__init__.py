"""Metrics: features of clips, and a distance of two sets of them. `base` says what one offers."""
