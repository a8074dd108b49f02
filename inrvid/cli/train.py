"""`inrvid train RECIPE`."""

from __future__ import annotations

import atexit
import importlib
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import InrvidError
from ..files import WINDOWS
from ..text import printable
from .output import outlive_readers

if TYPE_CHECKING:
    from ..recipe.schema import Recipe
    from ..training.processes.lock import RunLock
    from ..training.run_dir import Start


def train(
    recipe: str = typer.Argument(help="A recipe: a path, or the name of an installed one (inrvid recipe list)."),
    overrides: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help="Change a key of the recipe."),
    data: str = typer.Option(None, "--data", metavar="PATH", help="Train on these videos."),
    init: str = typer.Option(
        None, "--init", metavar="MODEL", help="Fine-tune: begin from the weights of a folder, run, or Hub repository."
    ),
    run_dir: Path = typer.Option(None, "--run-dir", help="Where to write; default: runs/<name>/<number>."),
    resume: str = typer.Option(
        "auto", "--resume", metavar="auto|never|PATH", help="What to do with a run's checkpoint."
    ),
    cpu: bool = typer.Option(False, "--cpu", help="Run on the CPU, even where there is a GPU."),
    processes: int = typer.Option(
        None, "--processes", min=1, max=1024, help="Processes on this machine; default: one a visible GPU, or one."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Print the resolved recipe, fitted to the data, and stop."),
) -> None:
    """Train a video generator."""
    from ..recipe.schema import load_recipe
    from ..training.processes.launch import check_group, inside_launcher, join_slurm, launch

    for option, value, key in (("--data", data, "data.path"), ("--init", init, "train.init")):
        if value is not None and any(item.startswith(f"{key}=") for item in overrides):
            raise InrvidError(f"{option} and --set {key} are two ways to say the same: give one of them")
    begun = [] if init is None else [("train.init", _absolute(init))]
    resolved = load_recipe(
        recipe,
        [*data_overrides(data, recipe, overrides), *begun, *overrides],
        report=lambda note: typer.echo(printable(note), err=True),
    )
    if dry_run:
        typer.echo(_with_data(resolved).to_yaml(), nl=False)
        return
    outlive_readers()
    join_slurm()
    check_group()
    count = processes or _devices(cpu)
    if not cpu and count > 1:
        _check_devices(count)
    if count > 1 and not inside_launcher():
        raise typer.Exit(launch(count, sys.argv[1:]))
    _run(resolved, run_dir, resume, cpu)


def data_overrides(path: str | None, recipe: str, overrides: list[str]) -> list[tuple[str, str]]:
    """What `--data PATH` changes: the path, and the type if the recipe's is not laid out like that."""
    if path is None:
        return []
    found = [("data.path", str(Path(path).expanduser().resolve()))]
    if any(item.startswith("data.type=") for item in overrides):
        return found
    from ..data.open import detect
    from ..recipe.schema import load_recipe
    from ..registry import registry

    # Other changes may be to keys that the type of the videos has, and the recipe's has not.
    own = load_recipe(recipe, [item for item in overrides if item.startswith("data=")]).data.type
    if not registry("datasets").component(own).matches(Path(path).expanduser()):  # type: ignore[attr-defined]
        found.append(("data.type", detect(path)))
    return found


def _with_data(recipe: Recipe) -> Recipe:
    """The recipe as a run would write it, with what it leaves to the data; as it is, with a note, if it names none.

    Raises:
        InrvidError: the data cannot be opened, or contradict the recipe.
    """
    from ..data.indexed import IndexedDataset
    from ..data.open import open_dataset
    from ..registry import registry
    from ..training.fitting import fit_to_data

    needs_path = issubclass(registry("datasets").component(recipe.data.type), IndexedDataset)
    if needs_path and recipe.data.path is None:
        typer.echo("note: no data are named: what they decide (rate, classes) is not known", err=True)
        return recipe
    return fit_to_data(recipe, open_dataset(recipe.data))


def _absolute(model: str) -> str:
    """A folder by its whole path, as a resumed run may be started elsewhere; a repository's name as it is."""
    path = Path(model).expanduser()
    return str(path.resolve()) if path.exists() else model


def _devices(cpu: bool) -> int:
    """Number of processes when none is asked for: one a GPU that is visible."""
    if cpu:
        return 1
    import torch

    gpus = torch.cuda.device_count()
    return gpus if gpus > 1 and _has_nccl() else 1


def _has_nccl() -> bool:
    """Whether GPUs can exchange gradients; Windows has none."""
    import torch

    return torch.distributed.is_available() and torch.distributed.is_nccl_available()


def _check_devices(processes: int) -> None:
    """Raises InrvidError if processes would have to share GPUs, or could not exchange what they know."""
    import torch

    there = torch.cuda.device_count()
    if there and processes > there:
        gpus = "GPU is" if there == 1 else "GPUs are"
        raise InrvidError(f"--processes {processes}: {there} {gpus} visible: give --processes {there}, or --cpu")
    if there and not _has_nccl():
        raise InrvidError(
            f"--processes {processes}: this PyTorch has no NCCL, by which GPUs exchange gradients: give --processes 1, "
            "or --cpu"
        )


def _run(recipe: Recipe, run_dir: Path | None, resume: str, cpu: bool) -> None:
    """Train in this process, which may be one of several."""
    main = _is_main(cpu)
    importlib.import_module("inrvid.training.trainer")  # seconds: before anything is made that an interrupt would leave
    folders = NewFolders(recipe, run_dir)
    lock, start = _decided(lambda: folders.prepare(resume), main)  # all processes write into one run
    try:
        if main:
            typer.echo(f"run: {start.folder}")
        _train(recipe, start, cpu, main)
    finally:
        if main and folders.made and not (start.folder / "recipe.yaml").exists():  # nothing was begun
            lock.remove()
            folders.remove()
    if main:
        typer.echo(f"model: {start.folder / 'model'}\nsamples: {start.folder / 'samples'}")


def _is_main(cpu: bool) -> bool:
    """Meet the training's other processes, until this one exits. Whether this is the first of them."""
    import torch
    import torch.distributed.nn  # before there is a group: its functions' defaults would keep that alive
    from accelerate import PartialState

    from ..training.processes.group import leave
    from ..training.processes.launch import follow_launcher, meeting

    follow_launcher()
    with meeting():
        main = PartialState(cpu=cpu or not torch.cuda.is_available()).is_main_process
    atexit.register(leave)  # when errors have been told and what they kept alive is gone
    return main


class NewFolders:
    """The run's folder and those above it, as far as this training makes them."""

    def __init__(self, recipe: Recipe, run_dir: Path | None):
        self.recipe, self.run_dir = recipe, run_dir
        self.made = [] if run_dir is None else [path for path in (run_dir, *run_dir.parents) if not path.exists()]

    def prepare(self, resume: str) -> tuple[RunLock, Start]:
        """Raises what `run_dir.prepare` does; then nothing of them is left."""
        from ..training.run_dir import new_run_dir, prepare

        folder = self.run_dir or new_run_dir(self.recipe.name)
        if self.run_dir is None:
            self.made = [folder, folder.parent, folder.parent.parent]
        try:
            return prepare(folder, self.recipe, resume, typer.echo)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        from ..training.run_dir import remove_empty

        remove_empty(self.made)


def _train(recipe: Recipe, start: Start, cpu: bool, main: bool) -> None:
    """The training itself; each way to end it other than well as an exit status or an InrvidError."""
    from ..training.callbacks.chain import FailedElsewhere
    from ..training.processes.group import lost_another
    from ..training.trainer import Interrupted, Trainer

    trainer: Trainer | None = None
    try:
        trainer = Trainer(recipe, start.folder, resume=start.checkpoint, fallbacks=start.fallbacks, cpu=cpu)
        trainer.run()
    except Interrupted as interrupted:
        if main:
            typer.echo(f"stopped and saved; continue with: {_again(start.folder)}")
        raise typer.Exit(128 + interrupted.signal) from None
    except KeyboardInterrupt:  # before the first step, or while the result is scored
        if main:
            typer.echo(_left(start.folder, 0 if trainer is None or trainer.saved else trainer.clips), err=True)
        raise typer.Exit(130) from None
    except FailedElsewhere:
        raise typer.Exit(2) from None
    except RuntimeError as error:
        if not lost_another(error):
            raise
        raise InrvidError("another process of the training has ended: its own message says why") from None


def _again(folder: Path) -> str:
    words = ["inrvid", "train", str(folder / "recipe.yaml"), "--run-dir", str(folder)]
    return subprocess.list2cmdline(words) if WINDOWS else shlex.join(words)


def _left(folder: Path, clips: int) -> str:
    """What is left of a run that was interrupted outside its steps, or for the second time in one.

    Args:
        clips: at which it was, if that is not saved.
    """
    from ..training.checkpoint import clips_of
    from ..training.keeping import checkpoints

    saved = checkpoints(folder / "checkpoints")
    if not saved:
        return "interrupted before anything was saved"
    if clips > clips_of(saved[-1]):
        return f"interrupted at {clips} clips; to continue from {clips_of(saved[-1])}, the last saved: {_again(folder)}"
    return f"interrupted; all that was trained is saved; to continue: {_again(folder)}"


def _decided(decide: Callable[[], tuple[Any, Any]], main: bool) -> tuple[Any, Any]:
    """What the main process decides, as (its own, everybody's); its InrvidError is everybody's too."""
    from accelerate.utils import broadcast_object_list

    own, shared, error = None, None, None
    if main:
        try:
            own, shared = decide()
        except (InrvidError, OSError) as problem:
            error = problem
    shared, told = broadcast_object_list([shared, error and str(error)])
    if error is not None:
        raise error
    if told is not None:
        raise InrvidError(told)
    return own, shared
