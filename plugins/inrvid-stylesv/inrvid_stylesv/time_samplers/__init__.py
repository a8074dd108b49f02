"""Time samplers: first_frame (StyleInV)."""
