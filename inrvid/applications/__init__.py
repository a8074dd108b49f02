"""What a trained model is used for.

- generate: videos of seeds or latents, to files; interpolate: what lies between two videos;
- project, predict: the latents of given frames, and the frames around them;
- edit: changes the look of videos; analyze: looks into a model;
- options, of which requests consist: when (times), where (size and region), who (latents, labels);
- drawing: frames as bytes, scenes of several videos; processes: a video drawn by several processes;
- model: opens a saved one.
"""
