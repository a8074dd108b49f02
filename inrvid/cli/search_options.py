"""Options that `project` and `predict` have in common: those of the search, and of the frames that it is given."""

from __future__ import annotations

import typer

FIRST = typer.Option(0, min=0, help="Frames are counted from this one on: it is at time 0.")
STEPS = typer.Option(1000, min=1, help="Of gradient descent.")
STARTS = typer.Option(1, min=1, help="Searches side by side, of which the best is kept.")
SEED = typer.Option(0, min=0, help="Of the first start's motion, and of the noise on the way.")
LABEL = typer.Option(None, min=0, help="Class of a conditional model; default: drawn by the seed.")
DISTANCE = typer.Option(
    "auto", metavar="auto|vgg16|efficientnet_lite0|pixels", help="What is made small; auto: what is here."
)
RESIZE = typer.Option("center_crop", metavar="center_crop|squash", help="Of frames with another shape.")
PRECISION = typer.Option(None, metavar="fp32|tf32|bf16|fp16", help="Default: as it was trained.")
CPU = typer.Option(False, "--cpu", help="Do not use an accelerator.")
