"""Other looks of a video that a model makes, by steps along directions in the space of its styles w.

- directions: what a direction is, its file, and videos moved along it;
- closed_form: directions that the generator's own weights tell, without data (SeFa, CVPR 2021);
- attribute: between videos with and without something;
- guided: the step by which one frame comes to look as a judge wants it; clip: a judge that reads (CLIP, ICML 2021).
"""
