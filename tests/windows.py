"""Windows' rules for files, on another system: to be run as a program of its own, for it changes `os` for good.

    python windows.py '[["generate", "run", "-o", "drawn.mp4"], …]'

What is open or mapped can be neither renamed nor removed, a rename replaces nothing, folders cannot be opened, what was
opened to be read cannot be synced, and fcntl and most signals are not there. Under these the library's commands are
run, one after another.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import accelerate.state
import av
import torch._dynamo
import torch.utils.data

open_descriptor, sync = os.open, os.fsync


def impose() -> None:
    """The rules, from now on."""
    sys.modules["fcntl"] = None  # type: ignore[assignment]
    for name in ("SIGCHLD", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGALRM"):
        delattr(signal, name)
    for name in ("getuid", "sched_getaffinity", "O_NONBLOCK", "O_NOFOLLOW", "fork"):
        delattr(os, name)
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    os.open, os.fsync = opened, synced  # type: ignore[assignment]
    os.replace, os.rename = moved(os.replace, replaces=True), moved(os.rename, replaces=False)
    os.unlink = os.remove = removed(os.unlink)
    os.rmdir = removed(os.rmdir)


def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    if Path(path).is_dir():
        raise PermissionError(13, "Permission denied", str(path))
    return open_descriptor(path, flags, mode)


def synced(file: Any) -> None:
    number = file if isinstance(file, int) else file.fileno()
    (flags,) = [line for line in Path(f"/proc/self/fdinfo/{number}").read_text().splitlines() if "flags" in line]
    if int(flags.split()[1], 8) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(9, "Bad file descriptor")
    sync(number)


def moved(move: Callable[..., None], *, replaces: bool) -> Callable[..., None]:
    def run(source: Any, target: Any) -> None:
        if not replaces and os.path.lexists(target):
            raise FileExistsError(17, "[WinError 183] it is there already", str(target))
        for path in (source, target):
            refuse_open(path)
        move(source, target)

    return run


def removed(remove: Callable[..., None]) -> Callable[..., None]:
    def run(path: Any, *, dir_fd: int | None = None) -> None:
        refuse_open(path)
        remove(path)

    return run


def refuse_open(path: Any) -> None:
    """Raises PermissionError: it, or a file below it, is open or mapped in this process."""
    own = os.path.realpath(path)
    if any(held == own or held.startswith(f"{own}/") for held in held_files()):
        raise PermissionError(13, "[WinError 32] it is used by another process", str(path))


def held_files() -> set[str]:
    held = {line.split(None, 5)[5] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            held.add(str(descriptor.readlink()))
    return held


def run(*arguments: str) -> None:
    from inrvid.cli import main

    sys.argv = ["inrvid", *arguments]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"{' '.join(arguments)}: {end.code}") from None


def imported_there() -> None:
    """The library's idea of the system is that of its import."""
    there, os.name = os.name, "nt"
    try:
        import inrvid.files

        assert inrvid.files.WINDOWS
    finally:
        os.name = there


def main(commands: list[list[str]]) -> None:
    imported_there()
    impose()
    for command in commands:
        run(*command)


if __name__ == "__main__":
    _ = accelerate.state, av, torch._dynamo, torch.utils.data  # whose import needs what Windows lacks here
    main(json.loads(sys.argv[1]))
