"""One training at a time writes into a run's folder.

The lock is the operating system's, on RUN/.lock: it ends with its process, however that ends, and is not inherited by
loader workers. On a file system without locks a file RUN/.lock-owner stands for it, which names its process: one that a
killed run left there is taken over on the same machine; on another machine nobody can tell, and the message says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path

import psutil

from ..documents import Document, DocumentError, read
from ..errors import InrvidError

NAME, OWNER = ".lock", ".lock-owner"


class Owner(Document):
    """Who holds a lock. `started`: when the process did, as the system counts, as numbers of processes return."""

    host: str
    pid: int
    started: float

    @classmethod
    def me(cls) -> Owner:
        return cls(host=socket.gethostname(), pid=os.getpid(), started=_started(os.getpid()))

    def is_alive(self) -> bool:
        """Whether the process still runs, as far as this machine can tell."""
        return self.host != socket.gethostname() or _started(self.pid) == self.started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class RunLock:
    """Held from `acquire` to `release`, or to the end of the process."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._handle: int | None = None
        self._owns = False

    def acquire(self) -> None:
        """Raises InrvidError if another process writes into the folder."""
        path = self.folder / NAME
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(self._handle)
        except (BlockingIOError, PermissionError):
            self.release()
            raise self._taken(_owner(path)) from None
        except (ImportError, OSError):  # a file system without locks
            self._claim(self.folder / OWNER)
            return
        self._respect_owner()
        os.truncate(self._handle, 0)
        os.write(self._handle, _text(Owner.me()))

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        if self._owns:
            (self.folder / OWNER).unlink(missing_ok=True)
            self._owns = False

    def remove(self) -> None:
        """Release, and leave no file behind: of a run that was not begun."""
        (self.folder / NAME).unlink(missing_ok=True)
        self.release()

    def _claim(self, path: Path) -> None:
        while True:
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                owner = _owner(path)
                if owner is not None and owner.is_alive():
                    self.release()
                    raise self._taken(owner, path) from None
                path.unlink(missing_ok=True)  # of a process that is no more
                continue
            with os.fdopen(handle, "wb") as file:
                file.write(_text(Owner.me()))
            self._owns = True
            return

    def _respect_owner(self) -> None:
        """Where there are locks now, an owner's file is of a time or a machine without them."""
        owner = _owner(self.folder / OWNER)
        if owner is not None and owner.is_alive() and owner.pid != os.getpid():
            self.release()
            raise self._taken(owner, self.folder / OWNER)
        (self.folder / OWNER).unlink(missing_ok=True)

    def _taken(self, owner: Owner | None, path: Path | None = None) -> InrvidError:
        who = f" ({owner})" if owner else ""
        unsure = owner is not None and owner.host != socket.gethostname() and path is not None
        what = f"; if that process is no more, delete {path}" if unsure else ""
        return InrvidError(
            f"{self.folder}: another training{who} writes there: wait for its end, stop it, or give another "
            f"--run-dir{what}"
        )


def _lock(handle: int) -> None:
    """Raises BlockingIOError or PermissionError if it is taken; other errors of the system: there are no locks."""
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
    """When a process started; 0 if there is none."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0
