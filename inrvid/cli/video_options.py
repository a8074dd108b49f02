"""Options that commands which write videos have in common: when, where, and how the file is encoded."""

from __future__ import annotations

from typing import Any

import typer

OUTPUT = "out.mp4, out.webm, out.gif, out.npz, or a folder for pictures of the frames"

SECONDS = typer.Option(None, help="Length of the file, instead of --frames.")
FPS = typer.Option(None, help="Frames a second of the file; default: the model's own rate.")
START = typer.Option(0.0, help="Time of the first frame, in frames at the model's rate; may be negative.")
STRIDE = typer.Option(1, min=1, help="Take every n-th frame: n times as fast.")
SLOW = typer.Option(1.0, help="Slow motion: 4 is four times as slow.")
TRUNCATION = typer.Option(1.0, help="ψ < 1: less variety, more quality.")

SIZE = typer.Option(None, metavar="N|HxW", help="Height x width of the frames; default: the model's.")
REGION = typer.Option(None, metavar="x0,y0,x1,y1", help="Part of the plane; 0,0,1,1 is the frame; y down.")
ZOOM_OUT = typer.Option(None, help="1.5 shows a region 1.5 times as wide and as high; 0.5 zooms in.")
ENLARGE = typer.Option(1, min=1, max=64, help="Show each pixel as N by N: small models on large screens.")

CRF = typer.Option(None, help="Quality: mp4 0 … 51 (12), webm 0 … 63 (20); lower is better and larger.")
LOSSLESS = typer.Option(
    False, "--lossless", help="Keep every pixel exactly in mp4 and webm; few players show such files."
)
PICTURES = typer.Option(None, metavar="png|jpg", help="Format of the frames in a folder; default: png.")
PRECISION = typer.Option(
    None, metavar="fp32|tf32|bf16|fp16", help="Default: the model's own, or fp32 where that is tf32."
)
CPU = typer.Option(False, "--cpu", help="Run on the CPU, even where there is a GPU.")


def options_of(request: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The values of a command that are fields of its request, and how files are encoded."""
    encoding = {name: given[name] for name in ("crf", "lossless", "pictures") if given.get(name) is not None}
    own = {name: given[name] for name in request.model_fields if name in given}
    return {**own, "encoding": encoding}
