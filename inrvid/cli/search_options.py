"""Options that `project` and `predict` have in common: those of the search, and of the frames that it is given."""

from __future__ import annotations

import typer

from .video_options import CPU, PRECISION

__all__ = ["CPU", "DISTANCE", "FIRST", "LABEL", "PRECISION", "RESIZE", "SEED", "STARTS", "STEPS"]

FIRST = typer.Option(0, min=0, help="Frame of the file that counts as frame 0, at time 0.")
STEPS = typer.Option(1000, min=1, help="Steps of gradient descent.")
STARTS = typer.Option(1, min=1, help="Number of searches run side by side; the best is kept.")
SEED = typer.Option(0, min=0, help="Seed of the first start's motion, and of the noise added during the search.")
LABEL = typer.Option(None, min=0, help="Class of a conditional model; default: drawn by the seed.")
DISTANCE = typer.Option(
    "auto",
    metavar="auto|vgg16|efficientnet_lite0|pixels",
    help="Distance to minimise; auto: the best whose weights are here.",
)
RESIZE = typer.Option("center_crop", metavar="center_crop|squash", help="How frames of another shape are made square.")
