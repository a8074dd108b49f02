"""Latents of given frames, found by gradient descent: what is sought (`unknowns`), the `search`, and its `state`."""
