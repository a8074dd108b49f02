"""Discriminators: channel_shift (StyleSV)."""
