"""Measuring, beside the library: programs for machines that are borrowed. See README.md."""
