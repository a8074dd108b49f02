"""The game: relativistic least squares of patches, the noise recognised, and pictures told apart by contrast."""
