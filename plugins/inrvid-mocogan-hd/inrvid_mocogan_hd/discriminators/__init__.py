"""Who judges: clips by pyramids of patches over time, pictures by pyramids of patches or by a residual network."""
