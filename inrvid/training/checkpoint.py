"""One checkpoint: a folder of safetensors and JSON, whole or absent. `keeping` decides which ones a run keeps.

It is written under a temporary name, synced and renamed; an older one in its place is moved aside first and removed
last. `manifest.json` holds the sha256 of each file, and its own. A checkpoint holds what training needs to resume as if
nothing had happened: the weights of G, D and the moving average, the state of the augmentation, both optimizers, and
the number of steps done. Random draws, including the data's, are functions of the step, so there is no random state
and no sampler position to keep.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from ..documents import Document, DocumentError, read
from ..errors import InrvidError
from ..files import checked, sha256, sync
from ..losses.base import Network
from ..weights import WeightsError, read_weights
from .step import TrainingStep

MANIFEST = "manifest.json"
PREFIX = "clips-"
NAME = rf"{PREFIX}[0-9]{{12}}"
AUGMENT = "augment"
FILES = ("generator", "discriminator", "ema", AUGMENT, "optimizer_generator", "optimizer_discriminator")
"""The safetensors files of a checkpoint, without their suffix."""

Number = Annotated[int, Field(ge=0, lt=10**12)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(Document):
    """manifest.json. `data`: fingerprint of the training data; `sha256`: of all the other keys."""

    step: Number
    clips: Number
    rollbacks: Number
    data: str
    scores: dict[str, float]
    files: dict[str, Digest]
    sha256: Digest


class Damaged(Exception):
    """Why a checkpoint cannot be used: the reason alone, without the checkpoint's name."""


def save_checkpoint(
    folder: Path,
    training: TrainingStep,
    *,
    step: int,
    clips: int,
    rollbacks: int = 0,
    data: str = "",
    scores: Mapping[str, float] | None = None,
) -> Path:
    """Write `folder`/clips-<n> and return it; `data`, the training data's fingerprint, and `scores` are kept with it.

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
        write_manifest(temporary, step=step, clips=clips, rollbacks=rollbacks, data=data, scores=scores or {})
        for path in (*temporary.iterdir(), temporary):
            sync(path)
        put_in_place(temporary, target)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        newest = max((path for path in folder.glob(f"{PREFIX}*") if is_checkpoint(path)), default=None)
        kept = f"the last one is intact: {newest}" if newest else "there is none yet"
        raise InrvidError(f"{target}: the checkpoint could not be written: {error}; {kept}") from error
    return target


def write_manifest(folder: Path, *, scores: Mapping[str, float], **values: Any) -> None:
    """Write the manifest of a folder that holds a checkpoint's files."""
    digests = {f"{name}.safetensors": sha256(folder / f"{name}.safetensors") for name in FILES}
    finite = {name: value for name, value in scores.items() if math.isfinite(value)}
    content = {**values, "scores": finite, "files": digests}
    (folder / MANIFEST).write_text(json.dumps({**content, "sha256": _own_digest(content)}, indent=2) + "\n", "utf-8")


def put_in_place(new: Path, target: Path) -> None:
    """Rename a folder to `target`. A whole one exists at every instant: `keeping.recover` brings back the old one."""
    old = target.with_name(f".replaced-{target.name}")
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
    new.rename(target)
    sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(path: Path, training: TrainingStep, say: Callable[[str], None] = lambda line: None) -> Manifest:
    """Restore `training` to the state of the checkpoint; returns its manifest. An augmentation of another type than the
    checkpoint's starts afresh; `say` is told so.

    Raises:
        InrvidError: the checkpoint is damaged, or of another model; `training` may then hold parts of it.
    """
    try:
        manifest = intact(path)
        for name, module in _modules(training).items():
            tensors = read_weights(path / f"{name}.safetensors")
            if name == AUGMENT and tensors.keys() != module.state_dict().keys():
                say(f"note: {path} has another augment.type: the recipe's augmentation starts afresh")
                continue
            module.load_state_dict(tensors)
        for name, module in _optimized(training).items():
            tensors = read_weights(path / f"optimizer_{name}.safetensors")
            if name in training.optimizers:
                _load_optimizer(training.optimizers[name], module, tensors, begun=manifest.step > 0)
        return manifest
    except Damaged as error:
        raise InrvidError(f"{path}: cannot be resumed from: {error}") from None
    except (OSError, WeightsError, RuntimeError, KeyError, ValueError) as error:
        reason = "; ".join(line.strip() for line in str(error).splitlines()[:2])  # PyTorch's first line is a heading
        raise InrvidError(
            f"{path}: cannot be resumed from: {reason[:300]}\n  for another model give another --run-dir"
        ) from None


def is_checkpoint(path: Path) -> bool:
    """Whether a path is named like a checkpoint and is a folder (not a link to one)."""
    return re.fullmatch(NAME, path.name) is not None and path.is_dir() and not path.is_symlink()


def clips_of(path: Path) -> int:
    """The number in a checkpoint's name."""
    return int(path.name.removeprefix(PREFIX))


def intact(path: Path) -> Manifest:
    """The manifest of a checkpoint, if all its files are as they were written. Raises Damaged."""
    manifest = read_manifest(path)
    for name, digest in manifest.files.items():
        try:
            actual = sha256(path / name)
        except FileNotFoundError:
            raise Damaged(f"{name} is missing") from None
        except OSError as error:
            raise Damaged(f"{name}: {error.strerror}") from None
        if actual != digest:
            raise Damaged(f"{name} was altered on disk (its sha256 is not the one in {MANIFEST})")
    return manifest


def read_manifest(path: Path) -> Manifest:
    """The manifest, if it is as it was written; looks at no other file. Raises Damaged."""
    try:
        manifest = read(path / MANIFEST, Manifest)
    except DocumentError as error:
        raise Damaged(f"{MANIFEST}: {error}") from None
    if _own_digest(manifest.model_dump(exclude={"sha256"})) != manifest.sha256:
        raise Damaged(f"{MANIFEST} was altered on disk (its own sha256 is another)")
    if set(manifest.files) != {f"{name}.safetensors" for name in FILES}:
        raise Damaged(f"{MANIFEST} does not list the files of a checkpoint")
    if is_checkpoint(path) and manifest.clips != clips_of(path):
        raise Damaged(f"{MANIFEST} says {manifest.clips} clips, the folder's name {clips_of(path)}")
    return manifest


def damage(path: Path) -> str | None:
    """What is wrong with a checkpoint's files, or None."""
    try:
        intact(path)
    except Damaged as error:
        return str(error)
    return None


def bytes_needed(training: TrainingStep) -> int:
    """Size of a checkpoint: weights, their average, and Adam's two moments."""
    return bytes_of_weights(training) + 2 * sum(_size(module) for module in _optimized(training).values())


def bytes_of_weights(training: TrainingStep) -> int:
    """Size of the networks and of the average, as the model beside the checkpoints holds them."""
    return sum(_size(module) for module in _modules(training).values())


def _size(module: nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in module.parameters())


def is_finite(training: TrainingStep) -> bool:
    """Whether all weights are finite: others are not worth keeping. Waits for the device."""
    tensors = [t.detach() for module in _modules(training).values() for t in (*module.parameters(), *module.buffers())]
    return bool(torch.stack([t.isfinite().all() for t in tensors]).all())


def stamp(path: Path) -> tuple[int, ...]:
    """A value that changes when a file of the checkpoint does, as far as the file system tells. Raises OSError."""
    statuses = [checked(path / name) for name in (MANIFEST, *(f"{name}.safetensors" for name in FILES))]
    return tuple(x for status in statuses for x in (status.st_size, status.st_mtime_ns, status.st_ino))


def _own_digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _modules(training: TrainingStep) -> dict[str, nn.Module]:
    return {
        "generator": training.G,
        "discriminator": training.D,
        "ema": training.ema.module,
        AUGMENT: training.augment,
    }


def _optimized(training: TrainingStep) -> dict[Network, nn.Module]:
    return {"generator": training.G, "discriminator": training.D}


def _tensors(training: TrainingStep) -> dict[str, dict[str, Tensor]]:
    files: dict[str, Any] = {name: module.state_dict() for name, module in _modules(training).items()}
    for name, module in _optimized(training).items():
        optimizer = training.optimizers.get(name)  # None: all of that network is frozen
        state = {} if optimizer is None else optimizer.state
        files[f"optimizer_{name}"] = {
            f"{parameter}/{key}": torch.as_tensor(value)
            for parameter, p in module.named_parameters()
            for key, value in state.get(p, {}).items()
        }
    return files


MOMENTS = ("exp_avg", "exp_avg_sq")
"""Adam's moments, each as large as its parameter; its state also has `step`, one number."""


def _load_optimizer(
    optimizer: torch.optim.Optimizer, module: nn.Module, tensors: dict[str, Tensor], *, begun: bool
) -> None:
    """Raises ValueError if the state is not that of all learned parameters of the module (of none, unless `begun`)."""
    learned = {id(p) for group in optimizer.param_groups for p in group["params"]}
    parameters = {name: p for name, p in module.named_parameters() if id(p) in learned}
    expected = {
        f"{name}/{key}": p.shape if key in MOMENTS else torch.Size()
        for name, p in parameters.items()
        for key in (*MOMENTS, "step")
    }
    found = {name: value.shape for name, value in tensors.items()}
    if found != (expected if begun else {}):
        odd = sorted({*expected.items()} ^ {*found.items()})
        raise ValueError(f"the optimizer's state is not that of this model ({odd[0][0] if odd else 'nothing begun'})")
    for name, value in tensors.items():
        parameter, _, key = name.rpartition("/")
        p = parameters[parameter]
        optimizer.state[p][key] = value.to(p.device, copy=True)  # the tensors read are views of the file
