"""Discriminators: of clips, pyramids of patches over time; of pictures, pyramids of patches or a residual network."""
