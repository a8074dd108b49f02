"""Files: opened only if they are files, and written so that they are either whole or absent.

Reading: a pipe, a socket, a device or a folder in place of a file would block for ever, or be read without end.
Everything that this library opens by name goes through here (`checked` for what another library opens): it must be a
regular file, and no larger than the caller says. Whatever is wrong is an OSError with `filename` and `strerror`.

Writing: to a temporary file beside the target, locked while it is written, then synced and renamed. What a killed
process left behind is no longer locked, and is removed by the next writer there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

TEXT_LIMIT = 64 * 2**20
"""Bytes of a text file (recipes, JSON, lists) beyond which it is not one of ours."""

LFS, SHORT = b"version https://git-lfs.github.com/spec", 1024
"""How a pointer of Git LFS begins, which stands for a file that is not fetched yet; pointers are short."""

WINDOWS = os.name == "nt"
"""Where open files can be neither renamed nor removed, and folders can be neither opened nor locked."""

MARK = "-inrvid-"
"""Part of the names of temporary files and folders, so that nobody else's are taken for ours."""

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def expanded(path: str | Path) -> Path:
    """`path` with '~' replaced by the home directory; unchanged if there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def cache_directory() -> Path:
    """Where inrvid keeps what it can compute again; without a home directory, among the temporary files."""
    if own := os.environ.get("INRVID_CACHE"):
        return expanded(own)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "inrvid"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"inrvid-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def checked(path: Path, limit: int | None = None) -> os.stat_result:
    """The status of a regular file of at most `limit` bytes, for what another library opens by its name.

    Raises:
        OSError: it is not one; `strerror` says what it is instead.
    """
    try:
        status = path.stat()
    except ValueError:  # a NUL, or a lone surrogate
        raise _unusable(path, errno.EINVAL, "not the name of a file") from None
    _check(path, status, limit)
    if status.st_size < SHORT:
        with path.open("rb") as file:
            if file.read(len(LFS)) == LFS:
                raise _unusable(path, errno.EINVAL, "a pointer of Git LFS, not the file itself: git lfs pull")
    return status


@contextlib.contextmanager
def opened(path: Path, limit: int | None = None) -> Iterator[BinaryIO]:
    """A regular file of at most `limit` bytes, to be read. Raises OSError as `checked` does, and never waits."""
    checked(path, limit)  # a device may act on being opened
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        _check(path, os.fstat(file.fileno()), limit)
        yield file


def read_bytes(path: Path, limit: int = TEXT_LIMIT) -> bytes:
    """The content of a regular file. Raises OSError as `checked` does."""
    with opened(path, limit) as file:
        content = file.read(limit + 1)
    if len(content) > limit:  # it grew, or claims to be empty, as files in /proc do
        raise _too_large(path, len(content), limit)
    return content


def read_text(path: Path, limit: int = TEXT_LIMIT) -> str:
    """The content of a UTF-8 file, whatever the locale. Raises OSError: as `checked`, or not UTF-8."""
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable(path, errno.EILSEQ, f"not UTF-8 text (byte {error.start})") from None


def sha256(path: Path) -> str:
    """Digest of a regular file's content. Raises OSError as `checked` does."""
    digest = hashlib.sha256()
    with opened(path) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, with its suffix; on success it is synced and takes `path`'s place.

    Raises:
        OSError: it cannot be written; `filename` is `path`.
    """
    path = path.resolve() if path.is_symlink() else path  # a link stays one
    before = checked(path) if path.exists() else None  # a pipe or a device is not to be replaced by a file
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent, path)
        handle, temporary = _own_file(path)
    try:
        with naming(path):
            yield temporary
            sync(temporary)
            # mkstemp makes files private
            temporary.chmod(0o666 & ~_umask() if before is None else stat.S_IMODE(before.st_mode))
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        _close(handle)


@contextlib.contextmanager
def refilling(folder: Path, replaced: Iterable[str], last: str = "") -> Iterator[Path]:
    """A temporary folder; on success its files, and those of folders in it, take the place of the `replaced` ones of
    `folder`. Others stay.

    Args:
        last: the file whose presence says that all others are there: it is removed first and written last.

    Raises:
        OSError: it cannot be written; `filename` is `folder`, or a file of it.
    """
    if folder.exists() and not folder.is_dir():
        raise _unusable(folder, errno.ENOTDIR, "a file or device, not a folder")
    with naming(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        # In the folder itself, if it exists: it may be a volume or a link to another disk.
        place = folder.resolve() if folder.is_dir() else folder.parent
        remove_leftovers(place, folder)
        handle, temporary = _own_folder(place, folder)
    try:
        with naming(folder):
            yield temporary
            folder.mkdir(exist_ok=True)
            if last:
                (folder / last).unlink(missing_ok=True)
            written = {path.relative_to(temporary).as_posix() for path in temporary.rglob("*") if path.is_file()}
            for name in {*replaced} - written:
                (folder / name).unlink(missing_ok=True)
                if "/" in name:
                    with contextlib.suppress(OSError):  # it is not there, or not empty
                        (folder / name).parent.rmdir()
            for name in sorted(written, key=lambda name: (name == last, name)):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (temporary / name).replace(folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _close(handle)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Within, an OSError that names no file (as of a full disk) or a temporary one is made to name `path`."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and (error.filename is None or MARK in str(error.filename)):
            # A new one, as PyAV's cannot be changed.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def write_bytes(path: Path, data: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8; parts of file names that are not text become U+FFFD: JSON readers accept nothing else."""
    write_bytes(path, re.sub("[\ud800-\udfff]", "\ufffd", text).encode())


def remove_leftovers(folder: Path, path: Path | None = None) -> None:
    """Remove the temporary files that killed writers of `path` (None: of anything) left in `folder`."""
    stem, suffix = (".+", r"(\.\w+)?") if path is None else (re.escape(path.stem[:100]), re.escape(path.suffix))
    pattern = re.compile(rf"\.{stem}{MARK}[a-z0-9_]{{8}}{suffix}")
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        left = [entry.path for entry in entries if pattern.fullmatch(entry.name)]
        for name in left:
            _remove_unless_locked(name)


def sync(path: Path) -> None:
    """Bring a file, or a folder's names, to the disk. Raises OSError."""
    if WINDOWS and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


Handle: TypeAlias = "int | None"
"""Descriptor of a file or folder, open and locked while it is written; None where it must not be open (Windows)."""


def _own_file(path: Path) -> tuple[Handle, Path]:
    """A new temporary file beside `path`, and its name."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:100]}{MARK}", suffix=path.suffix, dir=path.parent)
        if not WINDOWS and _is_locked_there(handle, name):
            return handle, Path(name)
        os.close(handle)
        if WINDOWS:
            return None, Path(name)


def _own_folder(place: Path, path: Path) -> tuple[Handle, Path]:
    """A new temporary folder in `place`, for what becomes `path`."""
    while True:
        name = tempfile.mkdtemp(prefix=f".{path.stem[:100]}{MARK}", suffix=path.suffix, dir=place)
        if WINDOWS:
            return None, Path(name)
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(name, os.O_RDONLY)
            if _is_locked_there(handle, name):
                return handle, Path(name)
            os.close(handle)


def _close(handle: Handle) -> None:
    if handle is not None:
        os.close(handle)


def _is_locked_there(handle: int, name: str) -> bool:
    """Lock it; False if another writer found it before it was locked, and took it for a leftover."""
    _lock(handle)
    try:
        return os.path.samestat(os.fstat(handle), os.stat(name))  # noqa: PTH116
    except FileNotFoundError:
        return False


def _remove_unless_locked(name: str) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
        try:
            if _lock(handle) and stat.S_ISDIR(os.fstat(handle).st_mode):
                shutil.rmtree(name)
            elif _lock(handle):
                Path(name).unlink()
        finally:
            os.close(handle)


def _lock(handle: int) -> bool:
    """Lock the file until it is closed. False if somebody else holds it, or where there are no locks."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _check(path: Path, status: os.stat_result, limit: int | None) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        code = errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL
        raise _unusable(path, code, f"{_KINDS.get(kind, 'something else')}, not a file")
    if limit is not None and status.st_size > limit:
        raise _too_large(path, status.st_size, limit)


def _too_large(path: Path, size: int, limit: int) -> OSError:
    return _unusable(path, errno.EFBIG, f"too large: {size} bytes, where at most {limit} are expected")


def _unusable(path: Path, code: int, reason: str) -> OSError:
    return OSError(code, reason, str(path))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
