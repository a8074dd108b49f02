"""A run's environment: trackers, launchers' settings, memory, limits on open files, loaders that fail."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import psutil
import torch
from accelerate import Accelerator
from accelerate.utils import LoggerType

from ...errors import InrvidError, did_you_mean

SHARDING = {
    "ACCELERATE_USE_FSDP": "FSDP",
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
}
"""Variables that `accelerate launch` sets for plugins that split one model."""


def refuse_sharding() -> None:
    """Raises InrvidError if `accelerate config` asks for a plugin that cannot handle a GAN's two networks."""
    for variable, name in SHARDING.items():
        if os.environ.get(variable, "false").lower() in ("true", "1"):
            raise InrvidError(
                f"accelerate's configuration asks for {name}, which splits one model; a GAN trains two. Choose "
                "multi-GPU without it (accelerate config), or start with: inrvid train"
            )


def mixed_precision() -> str | None:
    """A note on the mixed precision that `accelerate config` asks for; None if it asks for none."""
    asked = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if asked in ("no", ""):
        return None
    return f"accelerate's mixed precision ({asked}) is not used: --set train.precision says what runs in half precision"


def checked(trackers: Sequence[str]) -> list[str]:
    """Raises InrvidError for a tracker that Accelerate does not know or that is not installed."""
    known = [kind.value for kind in LoggerType if kind != LoggerType.ALL]
    for name in trackers:
        if name not in known:
            near = did_you_mean(name, known)
            raise InrvidError(f"train.trackers: no tracker named '{name}'.{near}\n  available: {', '.join(known)}")
        if name == "tensorboard":
            raise InrvidError("train.trackers: tensorboard is no tracker here: train.tensorboard=true writes its files")
        if importlib.util.find_spec(name) is None:
            raise InrvidError(f"train.trackers: {name} is not installed: pip install {name}")
    return list(trackers)


def make_accelerator(trackers: Sequence[str], *, cpu: bool) -> Accelerator:
    """The run's Accelerator. Raises InrvidError for an environment in which it cannot be made."""
    refuse_sharding()
    known = checked(trackers)
    try:
        # Without CUDA, the CPU: motion codes need float64, which Apple's devices lack.
        return Accelerator(cpu=cpu or not torch.cuda.is_available(), log_with=known or None)
    except (ValueError, KeyError) as error:
        raise InrvidError(f"accelerate cannot start: {error}: see its variables, ACCELERATE_…") from error


SHARED_MEMORY = Path("/dev/shm")
"""Where loader workers hand over their batches, on Linux."""

AHEAD = 3
"""Batches per worker that lie there: those fetched ahead, and the one being written."""


def check_shared_memory(batch_bytes: int, workers: int) -> None:
    """Raises InrvidError if the batches of loader workers would not fit into the shared memory that is free."""
    if not (workers and SHARED_MEMORY.is_dir()):
        return
    needed, free = AHEAD * workers * batch_bytes, shutil.disk_usage(SHARED_MEMORY).free
    if needed > free:
        raise InrvidError(
            f"{SHARED_MEMORY}: {workers} loader workers need {needed / 2**20:.0f} MiB there, {free / 2**20:.0f} MiB "
            f"are free: {MORE_SHARED_MEMORY}"
        )


def check_memory(key: str, needed: int) -> None:
    """Raises InrvidError if what a key of the recipe asks for needs more bytes of memory than are free."""
    free = psutil.virtual_memory().available
    if needed > free:
        raise InrvidError(
            f"{key}: would need {needed / 2**30:.1f} GiB at least, {free / 2**30:.1f} GiB of memory are free: make it "
            "smaller"
        )


FILES, FILES_A_WORKER = 128, 32
"""Open files that a training needs, and that each of its loader workers needs."""


def check_open_files(workers: int) -> None:
    """Raise this process's limit of open files to what the training needs. InrvidError if that is not allowed."""
    try:
        import resource
    except ImportError:  # Windows has none to speak of
        return
    needed = FILES + workers * FILES_A_WORKER
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < needed:
        limit = needed if most == resource.RLIM_INFINITY else min(needed, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
        if limit < needed:
            raise InrvidError(
                f"at most {limit} files may be open, training with {workers} loader workers needs {needed}: raise the "
                "limit (ulimit -n 1024), or --set data.workers=0"
            )


MORE_SHARED_MEMORY = "give more (docker run --shm-size=8g), or --set data.workers=0"

TROUBLES = {
    "shared memory": f"shared memory is full: {MORE_SHARED_MEMORY}",
    "Bus error": f"a loader worker was killed by a bus error, as when shared memory is full: {MORE_SHARED_MEMORY}",
    "Too many open files": "too many files are open: raise the limit (ulimit -n 4096), or --set data.workers=0",
    "ancdata": "too many files are open: raise the limit (ulimit -n 4096), or --set data.workers=0",
    "Cannot allocate memory": "no memory is left to start loader workers: --set data.workers=0",
}


def loader_trouble(error: BaseException) -> str | None:
    """What the user can do about an error of the loader that comes from the machine; None for other errors."""
    text = str(error)
    return next((f"data loader: {remedy}" for sign, remedy in TROUBLES.items() if sign in text), None)


def device_name(device: torch.device) -> str:
    """For people: a GPU's name, or the device's kind."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
