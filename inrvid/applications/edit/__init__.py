"""Edits to the look of a model's videos, by steps along directions in the space of its styles w.

- directions: what a direction is, its file, and videos moved along it;
- closed_form: directions from the generator's own weights, without data (SeFa, CVPR 2021);
- attribute: directions between videos with and without something;
- guided: the step that makes one frame look as a judge wants it; clip: a judge that reads text (CLIP, ICML 2021).
"""
