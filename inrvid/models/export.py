"""Programs: a trained generator in one file that runs without this library (`inrvid convert MODEL OUT --to export`).

Both forms, a `torch.export` program and TorchScript, are made from one recorded graph (`program`). The written program
is read back and compared with the generator, at other sizes, times and noises than it was recorded with, before the
file gets its name. Programs compute in float32 on the CPU.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import InrvidError, ModelError, did_you_mean
from ..files import write_bytes
from ..generators.base import VideoGenerator
from ..precision import in_precision
from .build import build_generator
from .pretrained import load_generator
from .program import Program, arguments_of, description, record, refused
from .torchscript import scripted

ABOUT = "inrvid.json"
"""The file inside a program's file that says which model it is of, and what its arguments are."""

CHECKED_WITH = ((3, 2, 4), (1, 1, 1))
"""Numbers of videos, times, and noises beyond the fewest, at which a program is compared; recorded with others."""

AGREEMENT = 1e-5
"""Largest difference allowed, relative to the largest value of the frames."""

Run = Callable[..., Tensor]


@dataclasses.dataclass(frozen=True)
class Form:
    """How a recorded program becomes a file."""

    suffix: str
    write: Callable[[torch.export.ExportedProgram, io.BytesIO, dict[str, Any]], None]
    read: Callable[[io.BytesIO], Run]


def _write_export(program: torch.export.ExportedProgram, file: io.BytesIO, about: dict[str, Any]) -> None:
    torch.export.save(program, file, extra_files=about)


def _read_export(file: io.BytesIO) -> Run:
    return torch.export.load(file).module()


def _write_script(program: torch.export.ExportedProgram, file: io.BytesIO, about: dict[str, Any]) -> None:
    torch.jit.save(scripted(program), file, _extra_files=about)


def _read_script(file: io.BytesIO) -> Run:
    return torch.jit.load(file)


FORMS: Mapping[str, Form] = {
    "export": Form(".pt2", _write_export, _read_export),
    "torchscript": Form(".pt", _write_script, _read_script),
}


def to_program(model: str | Path, out: Path, to: str, truncation: float = 1.0) -> Path:
    """Write the program of a saved model (a model or run folder, or a Hub repository `owner/name`); returns its path.

    Raises:
        InrvidError: as `export_generator`; no such model.
    """
    _form(to, out)  # before a large model is loaded for nothing
    return export_generator(load_generator(model, precision="fp32"), out, to, truncation)


def export_generator(G: VideoGenerator, path: str | Path, to: str = "export", truncation: float = 1.0) -> Path:
    """Write the program `(z, motion, t[, label]) → frames` of a generator; returns its path.

    Args:
        path: `*.pt2` for `export`, `*.pt` for `torchscript`.
        to: `export` or `torchscript`.
        truncation: ψ, which is fixed in the program.

    Raises:
        InrvidError: no such form, a path without its suffix, or a folder; a ψ that is not finite.
        ModelError: a generator that cannot be recorded, or whose program does not agree with it; nothing is written.
    """
    path = Path(path)
    form = _form(to, path)
    if path.is_dir():
        raise InrvidError(f"{path}: a folder, not a file")
    if not math.isfinite(truncation):
        raise InrvidError(f"truncation {truncation}: expected a number, such as 0.8")
    generator = _in_float32(G)
    file = io.BytesIO()
    about = {ABOUT: json.dumps(description(generator, truncation), indent=2, ensure_ascii=False)}
    program = Program(generator, truncation).eval()
    recorded = record(program)
    with refused(f"{path}: this model has no form as {to}"):
        form.write(recorded, file, about)
        file.seek(0)
        run = form.read(file)
    _check(program, run, path)
    write_bytes(path, file.getvalue())
    return path


def _form(to: str, path: Path) -> Form:
    if to not in FORMS:
        raise InrvidError(f"--to {to}: expected {' or '.join(FORMS)}.{did_you_mean(to, FORMS)}")
    form = FORMS[to]
    if path.suffix != form.suffix:
        raise InrvidError(f"{path}: programs of the form {to} are named *{form.suffix}")
    return form


def _in_float32(generator: VideoGenerator) -> VideoGenerator:
    """A copy in float32 on the CPU, so that recording leaves no trace on the generator itself."""
    copy = build_generator(in_precision(generator.config, "fp32"))
    copy.load_state_dict(generator.state_dict())
    return copy.eval().requires_grad_(False)


@torch.no_grad()
def _check(program: Program, run: Run, path: Path) -> None:
    """Raises ModelError if the file's program does not agree with the generator."""
    for seed, sizes in enumerate(CHECKED_WITH, start=1):
        arguments = arguments_of(program.generator, *sizes, seed=seed)
        with refused(f"{path}: the program fails for another number of videos or times"):
            frames = run(*arguments)
        expected = program(*arguments)
        fits = frames.shape == expected.shape
        difference = float((frames - expected).abs().max() / expected.abs().max()) if fits else math.inf
        if not difference <= AGREEMENT:
            raise ModelError(
                f"{path}: the program's frames would differ from the model's by {difference:.1e} of the largest value, "
                f"more than {AGREEMENT:g}: nothing is written"
            )
