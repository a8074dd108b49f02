"""What happens at named moments of a run beside the training itself: logs, samples, checkpoints, scores, publishing."""
