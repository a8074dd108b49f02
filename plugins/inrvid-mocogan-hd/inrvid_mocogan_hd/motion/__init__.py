"""The motion: a path that begins at a style."""
