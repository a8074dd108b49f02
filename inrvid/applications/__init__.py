"""What a trained model is used for.

- generate: videos of seeds or latents, to files; interpolate: what lies between two videos;
- project, predict: given frames as latents, and the frames around them;
- edit: changes their look; analyze: looks into a model;
- options, of which requests are made: when (times), where (size and region), who (latents, labels);
- drawing: frames as bytes, scenes of several videos; processes: a video drawn by several;
- model: a saved one, opened.
"""
