"""A generator recorded as one graph: (z, motion, t[, label]) → frames.

`torch.export` records what `VideoGenerator.inr` and `render` do, with each operation of `kernels` written out in
PyTorch's own (`kernels.recording`): the graph runs where this library is not installed. The numbers of videos, times
and motion noises are dynamic. Frames have the model's own size and are all drawn at once: the caller decides how many
times t to pass in a call.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .. import __version__
from ..errors import InrvidError, ModelError
from ..generators.base import VideoGenerator
from ..grid import Grid
from ..kernels.recording import as_program
from ..latents import Latents
from ..motion.base import Span
from ..motion.noise import NoiseSequence

SEEN_WITH = (2, 3, 5)
"""Numbers of videos, times, and noises beyond the fewest, at which a program is recorded; it is checked at others."""


RECORDS = "2.11"
"""The oldest PyTorch that was found to record the generators; 2.6 writes the example's sizes into the graph."""


class Program(nn.Module):
    """What is recorded: a generator as a function of tensors, with a fixed truncation ψ and the model's own grid."""

    def __init__(self, generator: VideoGenerator, truncation: float):
        super().__init__()
        self.generator, self.truncation = generator, truncation

    def forward(self, z: Tensor, motion: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        """z `[B, z_dim]`, motion `[B, width]` or `[B, L, width]`, t `[B, T]`, label `[B, classes]` → frames."""
        label = z.new_zeros(z.shape[0], 0) if label is None else label
        for other in (motion, t, label):  # one number of videos, not four that happen to be equal
            torch._check(other.shape[0] == z.shape[0])
        generator = self.generator
        inr = generator.inr(Latents(z, motion, label), self.truncation)
        side = generator.resolution
        return generator.render(inr.phi, generator.motion(motion, label, t), t, Grid(side, side))


def record(program: Program) -> torch.export.ExportedProgram:
    """The graph of `program`, in evaluation mode.

    Raises:
        ModelError: a part of the generator behaves differently for another number of videos, times or noises, or uses
            operations of another library.
    """
    arguments = arguments_of(program.generator, *SEEN_WITH, seed=0)
    what = f"{_parts(program.generator)} cannot be recorded as a program of any number of videos and times"
    if torch.__version__ < RECORDS:
        raise ModelError(f"{what} with PyTorch {torch.__version__}: it takes {RECORDS} or newer")
    with refused(what), torch.no_grad(), as_program(), _lstm_of_any_length():
        exported = torch.export.export(program, arguments, dynamic_shapes=_open_sizes(arguments), strict=False)
    operations = {n.target for n in exported.graph.nodes if isinstance(n.target, torch._ops.OpOverload)}
    if foreign := sorted(str(op) for op in operations if op.namespace not in ("aten", "prims")):
        raise ModelError(f"{what}: it needs {', '.join(foreign)}, which PyTorch has not by itself")
    for node in exported.graph.nodes:  # in whose files each operation was met is nobody's business
        node.meta = {key: value for key, value in node.meta.items() if key == "val"}
    return exported


@contextlib.contextmanager
def refused(what: str) -> Iterator[None]:
    """Turn whatever goes wrong inside, where PyTorch raises errors of every kind, into a ModelError of one line.

    PyTorch's warnings are ignored: they concern its own internals (attributes that come and go while it records) and
    TorchScript's deprecation.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (InrvidError, MemoryError):
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines()]
        raise ModelError(f"{what}: {next(filter(None, lines), type(error).__name__)}") from error


def arguments_of(generator: VideoGenerator, videos: int, times: int, spare: int, *, seed: int) -> tuple[Tensor, ...]:
    """Arguments for a program: `spare` more noises than the fewest, times spread over all that they serve."""
    latents = generator.sample_latents(videos, seed=seed)
    motion, span = latents.motion, generator.motion.span
    first, last = -float(generator.clip_length), 3.0 * generator.clip_length
    if isinstance(motion, NoiseSequence):
        if span is None:
            raise ModelError(f"{_parts(generator)}: a motion that does not say which times its noises serve (span)")
        noises = span.kept + spare
        motion = motion.at(torch.arange(noises, device=generator.device).expand(videos, -1))
        first, last = max(span.start, first), span.distance * spare
    along = torch.linspace(0.0, 0.999, videos * times, device=generator.device).view(times, videos).mT
    t = (first + (last - first) * along).contiguous()  # compilers assume that all arguments will have these strides
    return (latents.content, motion, t, *([latents.label] if generator.label_dim else []))


def description(generator: VideoGenerator, truncation: float) -> dict[str, Any]:
    """The description that a program carries, as plain data."""
    size = generator.resolution
    return {
        "inrvid_version": __version__,
        "resolution": size,
        "fps": generator.fps,
        "clip_length": generator.clip_length,
        "truncation": truncation,
        "inputs": _inputs(generator),
        "output": {"shape": ["B", "T", 3, size, size], "meaning": "RGB frames, around [-1, 1], not clamped"},
        "generator": generator.config,
    }


def _inputs(generator: VideoGenerator) -> list[dict[str, Any]]:
    _, motion, *_ = arguments_of(generator, 1, 1, 1, seed=0)
    span, width = generator.motion.span, motion.shape[-1]
    time = f"times in frames, {generator.fps:g} a second; may be fractional"
    noise = "motion noise of each video, N(0, 1)" if width else "nothing: this model has no motion"
    if span is not None:
        time += f"; {_served(span)}"
        noise = f"noises of motion codes 0 ... L - 1, N(0, 1); codes lie {span.distance:g} frames apart"
    inputs = [
        ("z", ["B", generator.z_dim], "what each video shows, N(0, 1)"),
        ("motion", ["B", *(["L"] if motion.ndim == 3 else []), width], noise),
        ("t", ["B", "T"], time),
    ]
    if generator.label_dim:
        inputs.append(("label", ["B", generator.label_dim], "the class of each video: 1 there, 0 elsewhere"))
    return [{"name": name, "shape": shape, "dtype": "float32", "meaning": meaning} for name, shape, meaning in inputs]


def _served(span: Span) -> str:
    first = "any" if math.isinf(span.start) else f"{span.start:g} <="
    return f"L noises serve {first} t < {span.distance:g} * (L - {span.kept})"


def _open_sizes(arguments: tuple[Tensor, ...]) -> tuple[dict[int, Any], ...]:
    videos, times, noises = (torch.export.Dim(name) for name in ("videos", "times", "noises"))
    _, motion, _, *label = arguments
    of_motion = {0: videos, 1: noises} if motion.ndim == 3 else {0: videos}
    return ({0: videos}, of_motion, {0: videos, 1: times}, *({0: videos} for _ in label))


def _parts(generator: VideoGenerator) -> str:
    config = generator.config
    return f"{config['type']} with the motion {config['motion']['type']}"


@contextlib.contextmanager
def _lstm_of_any_length() -> Iterator[None]:
    """Inside, the shapes of an LSTM's results are found without running it: PyTorch 2.13 runs through its steps to find
    them, and so fixes their number.

    The graph has the LSTM as one operation in any case.
    """
    kernels, key = torch.ops.aten.lstm.input.py_kernels, torch._C.DispatchKey.CompositeImplicitAutograd

    def shapes(x: Tensor, state: list[Tensor], *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        hidden, cell = state
        return x.new_empty(*x.shape[:2], hidden.shape[2]), hidden.clone(), cell.clone()

    before = kernels[key]
    kernels[key] = shapes
    try:
        yield
    finally:
        kernels[key] = before
