"""Packages to begin with: `make` writes one for any kind of part, from the files of `template/`."""
