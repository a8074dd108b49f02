"""Where a run writes: run_dir/{recipe.yaml, metrics.jsonl, samples/, checkpoints/, model/}."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from ..errors import InrvidError
from ..precision import HALF_KEYS
from ..recipe import Recipe, load_recipe
from .checkpoint import MANIFEST, newest_intact


def new_run_dir(name: str, root: Path = Path("runs")) -> Path:
    """The next free folder runs/<name>/<number>, created."""
    parent = root / name
    parent.mkdir(parents=True, exist_ok=True)
    number = max((int(p.name) for p in parent.iterdir() if p.name.isdigit()), default=0) + 1
    while True:
        try:
            (parent / f"{number:03d}").mkdir()
        except FileExistsError:  # another run took it
            number += 1
        else:
            return parent / f"{number:03d}"


def remove_empty(run_dir: Path) -> None:
    """Undo `new_run_dir`: the folder, and those above it that it made, as far as they are empty."""
    for folder in (run_dir, run_dir.parent, run_dir.parent.parent):
        try:
            folder.rmdir()
        except OSError:  # not empty
            return


def checkpoint_to_resume(run_dir: Path, resume: str, say: Callable[[str], None] = lambda line: None) -> Path | None:
    """What `--resume auto|never|PATH` means for this run folder; `say` is told of damaged checkpoints.

    Raises:
        InrvidError: the path holds no checkpoint; or the run has one and is not to be resumed.
    """
    if resume == "auto":
        return newest_intact(run_dir / "checkpoints", say)
    if resume == "never":
        if any((run_dir / "checkpoints").glob("*")):
            raise InrvidError(
                f"{run_dir}: holds a run with checkpoints: give another --run-dir to start anew, or --resume auto"
            )
        return None
    path = Path(resume)
    for candidate in (path, newest_intact(path / "checkpoints", say)):
        if candidate is not None and (candidate / MANIFEST).is_file():
            return candidate
    raise InrvidError(f"--resume {resume}: neither a checkpoint (a folder clips-…) nor a run folder that has one")


def _without_half_keys(data: dict[str, Any]) -> dict[str, Any]:
    """A saved recipe without what `train.precision` decides: runs of older versions repeat it."""
    parts = {name: data[name] for name in ("generator", "discriminator")}
    return {**data, **{n: {k: v for k, v in part.items() if k not in HALF_KEYS} for n, part in parts.items()}}


def refuse_another_model(checkpoint: Path, recipe: Recipe) -> None:
    """Raises InrvidError if the run that wrote the checkpoint had other networks than the recipe."""
    saved = checkpoint.parent.parent / "recipe.yaml"
    if not saved.exists():
        return
    before = load_recipe(_without_half_keys(yaml.safe_load(saved.read_text()))).to_dict()
    after = recipe.to_dict()
    from_data = {"fps", "label_dim"}  # filled in when training starts
    for section in ("generator", "discriminator"):
        for key, value in after[section].items():
            if key not in from_data and before[section].get(key) != value:
                raise InrvidError(
                    f"{checkpoint}: of a run whose {section}.{key} is {before[section].get(key)}, the recipe's is "
                    f"{value}: give another --run-dir to train another model"
                )
