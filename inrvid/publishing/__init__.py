"""A model as others get it: the folder that is published, and its card."""
