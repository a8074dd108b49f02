"""Losses: the phases of a training step.

- base: phases, and what a phase may look at;
- logistic: the loss of both papers.
"""
