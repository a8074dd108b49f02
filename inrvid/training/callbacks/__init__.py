"""What a run does at named moments besides training: logs, samples, checkpoints, scores, publishing."""
