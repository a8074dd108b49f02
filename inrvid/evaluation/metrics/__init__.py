"""Metrics: two sets of features → scores. `base` says what one offers."""
