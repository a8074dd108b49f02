"""Detectors: clips → features. `base` says what one offers."""
