"""Checkpoints: a folder of safetensors and JSON, whole or absent.

Written under a temporary name, synced, renamed; `manifest.json` holds the sha256 of each file. A checkpoint holds what
training needs to go on as if nothing had happened: the weights of G, D and the moving average, the state of the
augmentation, both optimizers, the number of steps done. Draws, the data's too, are functions of the step: there is no
random state and no position of a sampler to keep.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..errors import InrvidError
from .step import TrainingStep

MANIFEST = "manifest.json"
PREFIX = "clips-"


def save_checkpoint(
    folder: Path,
    training: TrainingStep,
    *,
    step: int,
    clips: int,
    rollbacks: int = 0,
    scores: Mapping[str, float] | None = None,
) -> Path:
    """Write `folder`/clips-<n> and return it; `scores` are kept with it, for `prune`.

    Raises:
        InrvidError: the disk is full, or another error of the file system; nothing is left behind.
    """
    target = folder / f"{PREFIX}{clips:012d}"
    temporary = folder / f".{target.name}"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, tensors in _tensors(training).items():
            path = temporary / f"{name}.safetensors"
            save_file({key: value.detach().contiguous() for key, value in tensors.items()}, path)
        digests = {path.name: sha256(path) for path in sorted(temporary.iterdir())}
        manifest = {"step": step, "clips": clips, "rollbacks": rollbacks, "scores": scores or {}, "files": digests}
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        for path in (*temporary.iterdir(), temporary):
            _sync(path)
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
        _sync(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        newest = max(checkpoints(folder), default=None)
        kept = f"the last one is intact: {newest}" if newest else "there is none yet"
        raise InrvidError(f"{target}: the checkpoint could not be written: {error}; {kept}") from error
    return target


def load_checkpoint(path: Path, training: TrainingStep) -> tuple[int, int, int]:
    """Bring `training` to where the checkpoint was saved; returns (steps done, clips seen, rollbacks so far).

    Raises:
        InrvidError: the checkpoint is damaged, or of another model.
    """
    problem = damage(path)
    if problem:
        raise InrvidError(f"{path}: cannot be resumed from: {problem}")
    try:
        for name, module in _modules(training).items():
            module.load_state_dict(load_file(path / f"{name}.safetensors"))
        for name, module in _optimized(training).items():
            tensors = load_file(path / f"optimizer_{name}.safetensors")
            _load_optimizer(training.optimizers[name], module, tensors)
        manifest = json.loads((path / MANIFEST).read_text())
        return int(manifest["step"]), int(manifest["clips"]), int(manifest["rollbacks"])
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise InrvidError(
            f"{path}: cannot be resumed from: {str(error).splitlines()[0]}\n  for another model give another --run-dir"
        ) from None


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    return sorted(folder.glob(f"{PREFIX}*"))


def newest_intact(folder: Path, say: Callable[[str], None] = lambda line: None) -> Path | None:
    """The newest checkpoint whose files are as they were written; `say` is told what is wrong with newer ones."""
    for path in reversed(checkpoints(folder)):
        problem = damage(path)
        if problem is None:
            return path
        say(f"{path}: {problem}: it is not used; the one before it is")
    return None


def damage(path: Path) -> str | None:
    """What is wrong with a checkpoint's files, or None."""
    try:
        files = json.loads((path / MANIFEST).read_text())["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{MANIFEST} cannot be read ({error})"
    for name, digest in files.items():
        if not (path / name).is_file():
            return f"{name} is missing"
        if sha256(path / name) != digest:
            return f"{name} was altered on disk (its sha256 is not the one in {MANIFEST})"
    return None


def prune(folder: Path, *, keep_last: int, keep_every: int | None = None, keep_best: str | None = None) -> None:
    """Delete all but the last `keep_last` checkpoints, the first from each multiple of `keep_every` clips on, and the
    one with the lowest score `keep_best`."""
    kept: set[int] = set()
    paths = checkpoints(folder)
    best = min(paths, key=lambda path: _score(path, keep_best), default=None) if keep_best else None
    for path in paths[:-keep_last]:
        clips = int(path.name.removeprefix(PREFIX))
        period = clips // keep_every if keep_every else 0
        if period and period not in kept:
            kept.add(period)
        elif path != best:
            shutil.rmtree(path)


def _score(path: Path, name: str | None) -> float:
    try:
        return float(json.loads((path / MANIFEST).read_text())["scores"][name])
    except (OSError, ValueError, KeyError, TypeError):  # damaged, or saved when nothing was measured
        return math.inf


def bytes_needed(training: TrainingStep) -> int:
    """Size of a checkpoint: weights, their average, and Adam's two moments."""
    sizes = {name: sum(p.numel() * p.element_size() for p in m.parameters()) for name, m in _modules(training).items()}
    return sum(sizes.values()) + 2 * sum(sizes[name] for name in _optimized(training))


def is_finite(training: TrainingStep) -> bool:
    """Whether all weights are finite: what is not, is not worth keeping. Waits for the device."""
    parameters = [p for module in _modules(training).values() for p in module.parameters()]
    return bool(torch.stack([p.detach().isfinite().all() for p in parameters]).all())


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _modules(training: TrainingStep) -> dict[str, nn.Module]:
    return {
        "generator": training.G,
        "discriminator": training.D,
        "ema": training.ema.module,
        "augment": training.augment,
    }


def _optimized(training: TrainingStep) -> dict[str, nn.Module]:
    return {"generator": training.G, "discriminator": training.D}


def _tensors(training: TrainingStep) -> dict[str, dict[str, Tensor]]:
    files: dict[str, Any] = {name: module.state_dict() for name, module in _modules(training).items()}
    for name, module in _optimized(training).items():
        state = training.optimizers[name].state
        files[f"optimizer_{name}"] = {
            f"{parameter}/{key}": torch.as_tensor(value)
            for parameter, p in module.named_parameters()
            for key, value in state.get(p, {}).items()
        }
    return files


def _load_optimizer(optimizer: torch.optim.Optimizer, module: nn.Module, tensors: dict[str, Tensor]) -> None:
    parameters = dict(module.named_parameters())
    for name, value in tensors.items():
        parameter, _, key = name.rpartition("/")
        p = parameters[parameter]
        optimizer.state[p][key] = value.to(p.device)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
