"""Where a run writes: run_dir/{recipe.yaml, metrics.jsonl, samples/, checkpoints/, model/}; and where it resumes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..data.finding import VIDEOS
from ..errors import InrvidError
from ..files import remove_leftovers
from ..precision import HALF_KEYS
from ..recipe.file import read_layer
from ..recipe.schema import Recipe, load_recipe
from . import keeping
from .checkpoint import MANIFEST, damage
from .processes.lock import NAME, RunLock

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Start:
    """Where a run starts.

    Attributes:
        folder: of the run.
        checkpoint: to resume from; None: start from the beginning.
        fallbacks: older checkpoints, in case it cannot be loaded.
    """

    folder: Path
    checkpoint: Path | None = None
    fallbacks: tuple[Path, ...] = ()


def prepare(folder: Path, recipe: Recipe, resume: str, say: Say) -> tuple[RunLock, Start]:
    """Lock a run's folder, tidy up what a killed process left there, and find out where to start.

    Raises:
        InrvidError: another training writes there; there is nothing to resume from, though there should be; or the
            folder holds another model, or somebody's videos.
    """
    if folder.exists() and not folder.is_dir():
        raise InrvidError(f"--run-dir {folder}: there is a file of that name: give a folder")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "recipe.yaml").exists() and _has_videos(folder):
        raise InrvidError(f"--run-dir {folder}: has videos in it: give the run a folder of its own")
    for name in ("checkpoints", "model", "samples"):
        if ((folder / name).is_symlink() and not (folder / name).exists()) or (folder / name).is_file():
            raise InrvidError(f"{folder / name}: is a file or a broken link, where the run needs a folder: remove it")
    lock = RunLock(folder)
    lock.acquire()
    try:
        keeping.recover(folder / "checkpoints")
        for written in (folder, folder / "samples", folder / "model"):
            remove_leftovers(written)
        start = find_start(folder, resume, say)
        if start.checkpoint is not None:
            refuse_another_model(start.checkpoint, recipe)
    except BaseException:
        if [child.name for child in folder.iterdir()] == [NAME]:
            lock.remove()
        else:
            lock.release()
        raise
    return lock, start


def _has_videos(folder: Path) -> bool:
    """Whether a folder holds videos; `.gif` and `.ts` do not count: an animation, or code."""
    return any(file.suffix.lower() in {*VIDEOS} - {".gif", ".ts"} and file.is_file() for file in folder.iterdir())


def new_run_dir(name: str, root: Path = Path("runs")) -> Path:
    """The next free folder runs/<name>/<number>, created."""
    parent = root / name
    parent.mkdir(parents=True, exist_ok=True)
    number = max((int(p.name) for p in parent.iterdir() if re.fullmatch("[0-9]{1,9}", p.name)), default=0) + 1
    while True:
        try:
            (parent / f"{number:03d}").mkdir()
        except FileExistsError:  # another run took it
            number += 1
        else:
            return parent / f"{number:03d}"


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove the folders of a run that was not begun, from the innermost on, as far as they are empty."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:  # not empty
            return


def find_start(run_dir: Path, resume: str, say: Say = lambda line: None) -> Start:
    """What `--resume auto|never|PATH` means for this run folder; `say` is told of damaged checkpoints.

    Raises:
        InrvidError: the path holds no checkpoint; the run has some and is not to be resumed; or all it has are damaged.
    """
    own = run_dir / "checkpoints"
    if resume == "auto":
        return _newest(run_dir, say)
    if resume == "never":
        if any(own.glob("*")) or (run_dir / "model").exists():
            raise InrvidError(f"{run_dir}: holds a run: give another --run-dir to start anew, or --resume auto")
        return Start(run_dir)
    path = Path(resume)
    if _is_of_another(path, run_dir) and any(keeping.checkpoints(own)):  # the same command, again
        start = _newest(run_dir, say)
        say(
            f"note: {run_dir} has checkpoints of its own, and resumes from the newest; to begin at {resume} again, "
            "give another --run-dir"
        )
        return start
    for candidate in (path, keeping.newest_intact(path / "checkpoints", say)):
        if candidate is not None and (candidate / MANIFEST).is_file():
            return Start(run_dir, candidate)
    raise InrvidError(f"--resume {resume}: neither a checkpoint (a folder clips-…) nor a run folder that has one")


def _is_of_another(path: Path, run_dir: Path) -> bool:
    """Whether a path to resume from is neither this run's folder nor inside it."""
    own, path = run_dir.resolve(), path.resolve()
    return own != path and own not in path.parents


def _newest(run_dir: Path, say: Say) -> Start:
    found = keeping.checkpoints(run_dir / "checkpoints")
    newest = keeping.newest_intact(run_dir / "checkpoints", say)
    if newest is not None:
        older = [path for path in reversed(found) if path < newest]
        return Start(run_dir, newest, tuple(older))
    if found:
        problems = "\n".join(f"  {path.name}: {damage(path)}" for path in reversed(found))
        raise InrvidError(
            f"{run_dir}: none of its checkpoints is intact, and starting anew would replace its model:\n{problems}\n"
            f"  give another --run-dir; or, to start anew there, move {run_dir / 'checkpoints'} and "
            f"{run_dir / 'model'} away"
        )
    if (run_dir / "model").exists():
        raise InrvidError(
            f"{run_dir}: holds a model but no checkpoint to resume from: give another --run-dir, or move "
            f"{run_dir / 'model'} away"
        )
    return Start(run_dir)


def _of_the_model(data: dict[str, Any]) -> dict[str, Any]:
    """A saved recipe without its paper, its callbacks (their packages may be gone) and the keys that `train.precision`
    decides, which runs of older versions repeat."""
    data = {key: value for key, value in data.items() if key != "paper"}
    if isinstance(data.get("train"), dict):
        data["train"] = {key: value for key, value in data["train"].items() if key != "callbacks"}
    parts = {name: data[name] for name in ("generator", "discriminator") if isinstance(data.get(name), dict)}
    return {**data, **{n: {k: v for k, v in part.items() if k not in HALF_KEYS} for n, part in parts.items()}}


def refuse_another_model(checkpoint: Path, recipe: Recipe) -> None:
    """Raises InrvidError if the run that wrote the checkpoint had other networks than the recipe."""
    saved = checkpoint.parent.parent / "recipe.yaml"
    if not saved.exists():
        return
    try:
        before = load_recipe(_of_the_model(read_layer(saved).data)).to_dict()
    except InrvidError as error:
        raise InrvidError(
            f"{error}\n  {saved} is damaged, so that it cannot be told whether this run had the recipe's networks: "
            "move it away to continue regardless"
        ) from None
    after = recipe.to_dict()
    from_data = {"fps", "label_dim"}  # filled in when training starts
    for section in ("generator", "discriminator"):
        for key, value in after[section].items():
            if key not in from_data and before[section].get(key) != value:
                raise InrvidError(
                    f"{checkpoint}: was trained with {section}.{key} {before[section].get(key)}, the recipe has "
                    f"{value}: give another --run-dir to train another model"
                )
