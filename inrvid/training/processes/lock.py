"""A lock, so that one training at a time writes into a run's folder.

It is the operating system's, on RUN/.lock: it ends with its process, however that ends, and is not inherited by
loader workers. On a file system without locks a file RUN/.lock-owner replaces it, which names its process and is
touched while that lives. One left by a killed run is taken over: at once on the same machine, on another one when it
has not been touched for some minutes.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import threading
import time
from pathlib import Path

import psutil

from ...documents import Document, DocumentError, read
from ...errors import InrvidError
from ...files import WINDOWS, checked, naming

NAME, OWNER = ".lock", ".lock-owner"

HEARTBEAT, SILENT = 20.0, 300.0
"""Seconds between two touches of an owner's file, and seconds without one after which its process counts as dead."""

WRITTEN = 10.0
"""Seconds within which writing an owner's file is surely done."""

SAME_START = 2.0
"""Seconds by which a process's start time may seem to move when the clock is set."""


class Owner(Document):
    """Who holds a lock. `started`: when the process started, by the system's clock, since process ids are reused."""

    host: str
    pid: int
    started: float

    @classmethod
    def me(cls) -> Owner:
        return cls(host=socket.gethostname(), pid=os.getpid(), started=_started(os.getpid()))

    @property
    def is_here(self) -> bool:
        return self.host == socket.gethostname()

    def runs(self) -> bool:
        """Whether the process still runs, on this machine."""
        return abs(_started(self.pid) - self.started) < SAME_START

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class RunLock:
    """Held from `acquire` to `release`, or to the end of the process."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._handle: int | None = None
        self._released = threading.Event()
        self._owns = False

    def acquire(self) -> None:
        """Raises InrvidError if another process writes into the folder; OSError if the lock's file is unusable."""
        path = self.folder / NAME
        if path.is_symlink() or path.exists():
            checked(path)
        with naming(path):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            _lock(self._handle)
        except (BlockingIOError, PermissionError):
            self.release()
            raise self._taken(_owner(path)) from None
        except (ImportError, OSError):  # a file system without locks
            self._claim(self.folder / OWNER)
            return
        os.truncate(self._handle, 0)
        os.write(self._handle, _text(Owner.me()))

    def release(self) -> None:
        self._released.set()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        if self._owns:
            (self.folder / OWNER).unlink(missing_ok=True)
            self._owns = False

    def remove(self) -> None:
        """Release, and leave no file behind: for a run that was not begun."""
        path = self.folder / NAME
        if WINDOWS:
            self.release()
            path.unlink(missing_ok=True)
        else:  # while it is held: afterwards it may be another's
            path.unlink(missing_ok=True)
            self.release()

    def _claim(self, path: Path) -> None:
        """Become the folder's owner by creating the owner's file, which only one process can do."""
        while True:
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                self._remove_dead(path)
                continue
            with os.fdopen(handle, "wb") as file:
                file.write(_text(Owner.me()))
            self._owns = True
            threading.Thread(target=self._stay_alive, args=(path,), daemon=True, name="lock").start()
            return

    def _remove_dead(self, path: Path) -> None:
        """Remove the owner's file of a dead process; one process at a time, lest the file be another's by then.

        Raises InrvidError if the owner lives.
        """
        takeover = path.with_name(f"{path.name}-takeover")
        if not path.exists():
            return
        if _is_alive(path):
            self.release()
            raise self._taken(_owner(path))
        try:
            takeover.mkdir()
        except FileExistsError:
            if SILENT < _age(takeover) < math.inf:  # left by a process killed in here
                with contextlib.suppress(OSError):
                    takeover.rmdir()
            time.sleep(0.05)
            return
        try:
            # While it exists nobody can create another, and nobody else removes it: it is the file just checked.
            if path.exists() and not _is_alive(path):
                path.unlink()
        finally:
            takeover.rmdir()

    def _stay_alive(self, path: Path) -> None:
        while not self._released.wait(HEARTBEAT):
            with contextlib.suppress(OSError):
                os.utime(path)

    def _taken(self, owner: Owner | None) -> InrvidError:
        who = f" ({owner})" if owner else ""
        return InrvidError(
            f"{self.folder}: another training{who} is writing there: wait, stop it, or give another --run-dir"
        )


def _is_alive(path: Path) -> bool:
    """Whether the process of an owner's file lives, or may live."""
    age, owner = _age(path), _owner(path)
    if owner is None:  # being written, or damaged
        return age < WRITTEN
    return owner.runs() if owner.is_here else age < SILENT


def _age(path: Path) -> float:
    """Seconds since a file was touched; infinite if there is none."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return math.inf


def _lock(handle: int) -> None:
    """Raises BlockingIOError or PermissionError if the lock is taken, other system errors if there are no locks."""
    import fcntl

    # Not flock: forked loader workers would hold it for some seconds after a kill.
    fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _owner(path: Path) -> Owner | None:
    with contextlib.suppress(DocumentError):
        return read(path, Owner)
    return None


def _text(owner: Owner) -> bytes:
    return json.dumps(owner.model_dump()).encode()


def _started(pid: int) -> float:
    """When a process started; infinite if there is none."""
    try:
        return float(psutil.Process(pid).create_time())
    except (psutil.Error, ValueError, OverflowError):
        return math.inf
