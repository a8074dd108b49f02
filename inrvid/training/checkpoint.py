"""Checkpoints: a folder of safetensors and JSON, whole or absent.

Written under a temporary name, synced, renamed. It holds what training needs to go on: the weights of G, D and the
moving average, the state of the augmentation, both optimizers, the number of steps done. Draws are functions of the
step, so that no random state is needed.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..errors import InrvidError
from .step import TrainingStep

STATE = "state.json"


def save_checkpoint(folder: Path, training: TrainingStep, *, step: int, clips: int) -> Path:
    """Write `folder`/clips-<n> and return it."""
    target = folder / f"clips-{clips:012d}"
    temporary = folder / f".{target.name}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for name, tensors in _tensors(training).items():
        save_file(
            {key: value.detach().contiguous() for key, value in tensors.items()}, temporary / f"{name}.safetensors"
        )
    (temporary / STATE).write_text(json.dumps({"step": step, "clips": clips}) + "\n")
    for path in (*temporary.iterdir(), temporary):
        _sync(path)
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)
    _sync(folder)
    return target


def load_checkpoint(path: Path, training: TrainingStep) -> int:
    """Bring `training` to where the checkpoint was saved; returns the number of steps done.

    Raises:
        InrvidError: the checkpoint is incomplete, or of another model.
    """
    try:
        state = json.loads((path / STATE).read_text())
        for name, module in _modules(training).items():
            module.load_state_dict(load_file(path / f"{name}.safetensors"))
        for name, module in _optimized(training).items():
            tensors = load_file(path / f"optimizer_{name}.safetensors", device=str(training.accelerator.device))
            _load_optimizer(training.optimizers[name], module, tensors)
        return int(state["step"])
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise InrvidError(f"{path}: cannot be resumed from: {error}\n  start anew with --resume never") from None


def newest_checkpoint(folder: Path) -> Path | None:
    """The complete checkpoint of `folder` with the most clips."""
    return max(folder.glob("clips-*"), default=None)


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
        optimizer.state[parameters[parameter]][key] = value


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
