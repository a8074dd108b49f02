"""The page of `inrvid explore`: controls, and what the model draws for them (Gradio)."""

from __future__ import annotations

import contextlib
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import InrvidError
from ..generators.inr import FRAMES_AT_ONCE
from ..video_io import writing
from .explore import Explorer, Video, View

if TYPE_CHECKING:
    import gradio

MISSING = "the page needs Gradio: pip install 'inrvid[explore]'"
PLAYED = 3.0
"""Seconds of a clip that is played."""
MOST_SEED = 2**31 - 1
QUICK = 128
"""Pixels a side of a picture that a small model draws without delay."""
KEPT = 600
"""Seconds for which Gradio keeps its copies of pictures and clips, and between two checks for older ones."""
MOST_PLAYED = 512
"""Pixels a side of a clip, at most."""
AHEAD = 8
"""How far the time slider reaches, in lengths of a training clip."""


def serve(
    explorer: Explorer,
    name: str,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    browser: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the page of a model until Ctrl-C.

    Args:
        port: 0: a free one.
        say: called with a line that has the address.

    Raises:
        InrvidError: Gradio is not installed, or the port is taken.
    """
    with tempfile.TemporaryDirectory(prefix="inrvid-explore-") as folder:
        blocks = page(explorer, name, Path(folder))
        try:
            _, address, _ = blocks.launch(
                server_name=host, server_port=port or None, inbrowser=browser, share=False, quiet=True,
                prevent_thread_lock=True, show_error=True, ssr_mode=False, footer_links=[],
            )  # fmt: skip
        except OSError:
            raise InrvidError(f"--port {port}: taken, or not to be used: give another, or 0 for a free one") from None
        say(f"{name}: {address}   (Ctrl-C ends it)")
        blocks.block_thread()


def page(explorer: Explorer, name: str, folder: Path) -> gradio.Blocks:
    """The page of a model, to be launched; clips are written into `folder`. Raises InrvidError: Gradio is missing."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # nothing about users is sent to anybody
    try:
        import gradio as gr
    except ImportError:
        raise InrvidError(MISSING) from None
    with gr.Blocks(title=f"{name} - inrvid", analytics_enabled=False, delete_cache=(KEPT, KEPT)) as blocks:
        gr.Markdown(f"## {name}")
        with gr.Row():
            with gr.Column(scale=1):
                controls = _controls(gr, explorer)
            with gr.Column(scale=1):
                picture = gr.Image(
                    label="frame", format="png", interactive=False, buttons=["download", "fullscreen"], elem_id="frame"
                )
                play = gr.Button("Play from here", elem_id="play")
                video = gr.Video(label="clip", autoplay=True, loop=True, interactive=False, elem_id="clip")
        _connect(gr, explorer, blocks, controls, (picture, play, video), folder)
    return blocks


def _controls(gr: Any, explorer: Explorer) -> dict[str, Any]:
    """Controls by the name of what they set: a field of `Video` or of `View`, `t`, or a direction as `→ NAME`."""
    G = explorer.generator
    found = {
        "content": gr.Number(0, label="content seed", precision=0, minimum=0, maximum=MOST_SEED, elem_id="content"),
        "motion": gr.Number(0, label="motion seed", precision=0, minimum=0, maximum=MOST_SEED, elem_id="motion"),
        "t": gr.Slider(
            -G.clip_length,
            AHEAD * G.clip_length,
            G.clip_length // 2,  # at 0 DIGAN's motion has not begun
            step=0.25,
            label=f"time, frames ({G.fps:g} a second)",
            elem_id="time",
        ),
        "truncation": gr.Slider(0, 1.5, 1, step=0.05, label="truncation ψ"),
        "towards": gr.Number(1, label="second video: seed", precision=0, minimum=0, maximum=MOST_SEED),
        "weight": gr.Slider(0, 1, 0, step=0.02, label="between the two, λ of φ"),
    }
    if explorer.any_grid:
        sizes = [G.resolution * k for k in (1, 2, 4, 8)]
        usual = max([side for side in sizes if side <= QUICK], default=G.resolution)
        found |= {
            "zoom": gr.Slider(0.5, 8, 1, step=0.05, label="zoom (below 1: beyond the frame)", elem_id="zoom"),
            "x": gr.Slider(-0.5, 1.5, 0.5, step=0.01, label="centre, to the right"),
            "y": gr.Slider(-0.5, 1.5, 0.5, step=0.01, label="centre, downwards"),
            "size": gr.Radio(sizes, value=usual, label="pixels a side"),
        }
    else:
        gr.Markdown("*This model draws the whole frame at its own size alone.*")
    found |= {f"→ {name}": gr.Slider(-5, 5, 0, step=0.1, label=f"direction {name}") for name in explorer.directions}
    return found


def _connect(
    gr: Any, explorer: Explorer, blocks: Any, controls: dict[str, Any], shown: tuple[Any, Any, Any], folder: Path
) -> None:
    """Draw a frame whenever a control changes, and a clip when it is asked for."""
    names, inputs = list(controls), list(controls.values())
    picture, play, video = shown

    def frame(*values: Any) -> np.ndarray:
        said = dict(zip(names, values, strict=True))
        with _shown(gr):
            return explorer.picture(_video(said), float(said["t"]), _view(said))

    def clip(*values: Any) -> str:
        path = folder / f"{zlib.crc32(repr(values).encode()):x}.mp4"
        with _shown(gr):
            _write_clip(explorer, dict(zip(names, values, strict=True)), path)
        return str(path)

    for control in inputs:
        control.change(frame, inputs, picture, show_progress="hidden", trigger_mode="always_last")
    play.click(clip, inputs, video)
    blocks.load(frame, inputs, picture)


@contextlib.contextmanager
def _shown(gr: Any) -> Iterator[None]:
    """Say on the page what cannot be drawn."""
    try:
        yield
    except InrvidError as error:
        raise gr.Error(str(error)) from None


def _write_clip(explorer: Explorer, said: dict[str, Any], path: Path) -> None:
    """Write `PLAYED` seconds, some frames at a time, at most `MOST_PLAYED` pixels a side, or the model's own size."""
    G, video, view = explorer.generator, _video(said), _view(said)
    if view.size is not None:
        view = view.model_copy(update={"size": min(view.size, max(MOST_PLAYED, G.resolution))})
    t = float(said["t"]) + torch.arange(max(1, round(PLAYED * G.fps)), dtype=torch.float64)
    with writing(path, G.fps, len(t)) as write:
        for some in t.split(FRAMES_AT_ONCE):
            write(explorer.clip(video, some, view))


def _video(said: dict[str, Any]) -> Video:
    directions = ((name[2:], float(value)) for name, value in said.items() if name.startswith("→ ") and value)
    return Video(
        content=int(said["content"] or 0),
        motion=int(said["motion"] or 0),
        truncation=float(said["truncation"]),
        towards=int(said["towards"] or 0),
        weight=float(said["weight"]),
        directions=tuple(directions),
    )


def _view(said: dict[str, Any]) -> View:
    if "zoom" not in said:
        return View()
    return View(zoom=float(said["zoom"]), x=float(said["x"]), y=float(said["y"]), size=int(said["size"]))
