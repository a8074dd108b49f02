"""Fetching models from the Hub and publishing them to it, through huggingface_hub's own client.

That client checks downloads over HTTP for their size alone. Here the digest of every file is compared with the Hub's
before any of it is parsed, and a file that differs is removed from the cache. A push is one commit, or none if nothing
has changed. Every error is one line that says what to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import socket
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import __version__
from ..errors import InrvidError, ModelError
from ..files import checked, opened

LIBRARY = "inrvid"
"""Name by which the Hub recognises this library's models."""

PIPELINE = "unconditional-image-generation"
"""The closest of the Hub's kinds of models: it has none for videos without text."""


@dataclass(frozen=True)
class Published:
    """The result of a push.

    Attributes:
        page: of the model.
        url: of the commit; of the newest one if nothing had changed.
        new: whether there is a new commit.
    """

    page: str
    url: str
    new: bool


def is_name(name: str) -> bool:
    """Whether this may be the name of a repository, owner/name, and not of a folder."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not name.endswith("/")


def fetch(name: str, files: Sequence[str], *, revision: str | None = None, token: str | None = None) -> Path:
    """The folder in the Hub's cache with these files of a repository, all of one commit, and as the Hub has them.

    Raises:
        ModelError: not there, damaged on its way, or the Hub cannot be reached and they are not in the cache.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    with _told(name, revision, look_up=False):
        cached = [isinstance(try_to_load_from_cache(name, file, revision=revision or "main"), str) for file in files]
        away = _no_address()
        if away and not all(cached):
            raise _NoAddressError(away)
        first = Path(hf_hub_download(name, files[0], revision=revision, token=token, local_files_only=bool(away)))
        root = first.parents[files[0].count("/")]
        # From here on the revision is the commit of the first file, which is its folder's name in the cache.
        for file in files[1:]:
            hf_hub_download(name, file, revision=root.name, token=token, local_files_only=bool(away))
        if away:
            return root
        try:
            _verify(name, root, files, token)
        except (OfflineModeIsEnabled, HfHubHTTPError, *_transport_errors()) as error:  # type: ignore[misc]
            # Files cached before serve without the Hub: they were verified when they came.
            if not (all(cached) and _is_away(error)):
                raise
    return root


def fetch_all(name: str, *, revision: str | None = None, token: str | None = None) -> Path:
    """Like `fetch`, for all files of the repository."""
    from huggingface_hub import HfApi

    with _told(name, revision):
        info = HfApi(token=token).model_info(name, revision=revision)
        files = [sibling.rfilename for sibling in info.siblings or [] if sibling.rfilename != ".gitattributes"]
    if not files:
        raise ModelError(f"{name}: an empty repository")
    root = fetch(name, sorted(files), revision=revision, token=token)
    if root.name != info.sha:
        raise ModelError(f"{name}: changed while it was fetched: try again")
    return root


def has(name: str, file: str, *, revision: str | None = None, token: str | None = None) -> bool:
    """Whether the repository has a file, according to the Hub or, if that cannot be reached, to the cache.

    Raises:
        ModelError: no such repository; or the Hub cannot be reached, and the cache does not know.
    """
    from huggingface_hub import _CACHED_NO_EXIST, HfApi, try_to_load_from_cache

    try:
        with _told(name, revision):
            return bool(HfApi(token=token).file_exists(name, file, revision=revision))
    except ModelError as error:
        if not _is_away(error.__cause__):
            raise
        known = try_to_load_from_cache(name, file, revision=revision or "main")
        if known is None:
            raise ModelError(
                f"{name}: the Hub cannot be reached, and whether there is {file} is not known: {_first_line(error)}"
            ) from error.__cause__
        return known is not _CACHED_NO_EXIST


def is_missing(error: ModelError) -> bool:
    """Whether the error says that there is no such repository (or none that this token may see)."""
    from huggingface_hub.errors import RepositoryNotFoundError

    return isinstance(error.__cause__, RepositoryNotFoundError)


def push(
    folder: Path,
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    message: str = "Upload model with inrvid",
    own: Iterable[str] = (),
) -> Published:
    """Publish a folder's files in one commit; the repository is made if need be.

    Args:
        private: whether a new repository is private; an existing one stays as it is.
        own: patterns of files that are the library's, such as `samples/*`: those no longer in the folder are deleted.

    Raises:
        ModelError: the Hub refuses, or cannot be reached; the repository is as it was, or new and empty.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=token, library_name=LIBRARY, library_version=__version__)
    paths = dict(_own_files(folder))
    with _told(repo_id, publishing=True):
        made = not api.repo_exists(repo_id)
        api.create_repo(repo_id, private=private, exist_ok=True)
        before = api.model_info(repo_id)
    try:
        return _committed(api, before, paths, own, message)
    except ModelError as error:
        if not made:
            raise
        raise ModelError(f"{error} ({repo_id} was made, and is empty)") from error.__cause__


def _committed(api: Any, before: Any, paths: Mapping[str, Path], own: Iterable[str], message: str) -> Published:
    """Commit these files on top of `before`, deleting files that match `own` and are not among them."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.utils import filter_repo_objects

    there = [sibling.rfilename for sibling in before.siblings or []]
    old = [name for name in there if name not in paths]
    gone = list(filter_repo_objects(old, allow_patterns=list(own))) if own else []
    with _told(before.id, publishing=True):
        commit = api.create_commit(
            before.id,
            [
                *(CommitOperationAdd(name, str(path)) for name, path in paths.items()),
                *(CommitOperationDelete(name, is_folder=False) for name in gone),
            ],
            commit_message=message,
            parent_commit=before.sha,  # otherwise another push in between would be partly undone
        )
    return Published(f"{api.endpoint}/{before.id}", str(commit.commit_url), new=commit.oid != before.sha)


def _own_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of files that are not hidden (.git, .env, …), and of .gitattributes. Raises ModelError for a link
    out of the folder."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not path.is_file() or (any(part.startswith(".") for part in name.parts) and str(name) != ".gitattributes"):
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ModelError(f"{path}: a link to a file elsewhere, which would be published: put a copy in its place")
        yield name.as_posix(), path


def published_models(owner: str | None = None, *, token: str | None = None) -> list[Any]:
    """Models on the Hub that are tagged as this library's, the newest first: of an owner, or of all.

    Raises:
        ModelError: the Hub refuses, or cannot be reached.
    """
    from huggingface_hub import HfApi

    with _told(owner or "models", kept=False):
        return list(HfApi(token=token).list_models(author=owner, filter=LIBRARY, sort="last_modified"))


def check_publishing(repo_id: str, what: str) -> None:
    """Check what can be checked before there is a model to publish.

    Raises:
        InrvidError: not the name of a repository, nobody is logged in, or the Hub's client is offline; the message
            names the key or option `what` that asks for publishing.
    """
    from huggingface_hub import constants, get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise InrvidError(f"{what}: {repo_id!r} is not the name of a repository, owner/name: {error}") from None
    if constants.HF_HUB_OFFLINE:
        raise InrvidError(f"{what}: publishing needs the Hub, but HF_HUB_OFFLINE is set")
    if get_token() is None:
        raise InrvidError(f"{what}: publishing needs a login to the Hub: hf auth login (or set HF_TOKEN)")


class _NoAddressError(ConnectionError):
    """The Hub's host name does not resolve: there is no network."""


@contextlib.contextmanager
def _told(
    name: str, revision: str | None = None, *, publishing: bool = False, kept: bool = True, look_up: bool = True
) -> Iterator[None]:
    """Turn the client's errors into a ModelError of one line, with what to do next; the cause is kept.

    Args:
        publishing: say that nothing was published.
        kept: what is asked for could be in the cache.
        look_up: ask nothing if there is no network: the client would try for half a minute.
    """
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RevisionNotFoundError,
    )

    at = f" at {revision}" if revision else ""
    unchanged = "; nothing was published: try again" if publishing else ""
    try:
        if look_up and (away := _no_address()):
            raise _NoAddressError(away)
        yield
    except HFValidationError as error:
        raise ModelError(f"{name}: not the name of a Hub repository: {error}") from error
    except RevisionNotFoundError as error:
        raise ModelError(f"{name}: has no revision {revision}") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, _NoAddressError, *_transport_errors()) as error:  # type: ignore[misc]
        cached = ", and this is not in the cache" if kept and not publishing else ""
        raise ModelError(f"{name}{at}: the Hub cannot be reached{cached}: {_first_line(error)}{unchanged}") from error
    except EntryNotFoundError as error:
        raise ModelError(f"{name}{at}: has not all the files of a model: {_first_line(error)}") from error
    except HfHubHTTPError as error:
        raise ModelError(f"{name}{at}: {_refusal(error)}{unchanged}") from error
    except OSError as error:  # a full disk
        raise ModelError(f"{name}{at}: {error.strerror or _first_line(error)}") from error
    except (ValueError, RuntimeError) as error:  # the card's metadata, an answer that is none, an upload that broke
        cause = f" ({_first_line(error.__cause__)})" if error.__cause__ else ""
        raise ModelError(f"{name}{at}: {_first_line(error)}{cause}{unchanged}") from error


def _is_away(error: BaseException | None) -> bool:
    """Whether the Hub could not be reached, or is out of order, and so gave no answer."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, HfHubHTTPError):
        return error.response is not None and (error.response.status_code >= 500 or error.response.status_code == 429)
    return isinstance(error, (OfflineModeIsEnabled, _NoAddressError, *_transport_errors()))


def _refusal(error: Any) -> str:
    """What the Hub's status means, and what to do."""
    status = error.response.status_code if error.response is not None else 0
    login = "log in with: hf auth login (or set HF_TOKEN)"
    reasons = {
        401: f"not on the Hub, or private, or the token has expired: {login}",
        403: f"the Hub refused: your token may not do that: {login}",
        404: f"not on the Hub, or private: {login}",
    }
    return reasons.get(status, f"the Hub refused: {_first_line(error)}")


def _no_address() -> str:
    """Why the Hub's host name does not resolve; empty if it does, or if nothing here resolves it."""
    from huggingface_hub import constants

    there = urlsplit(constants.ENDPOINT)
    if constants.HF_HUB_OFFLINE or not there.hostname or _is_proxied(there.scheme, there.hostname):
        return ""
    try:
        socket.getaddrinfo(there.hostname, there.port)
    except socket.gaierror as error:
        unknown = {socket.EAI_NONAME, socket.EAI_AGAIN, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
        return f"{there.hostname}: {error.strerror}" if error.errno in unknown else ""
    return ""


def _is_proxied(scheme: str, host: str) -> bool:
    """Whether a proxy resolves the host name."""
    return bool({scheme, "all"} & set(urllib.request.getproxies())) and not urllib.request.proxy_bypass(host)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the Hub's client raises when it cannot connect; which library it uses depends on its version."""
    found = []
    for module, name in (("httpx", "TransportError"), ("httpx2", "TransportError"), ("requests", "ConnectionError")):
        with contextlib.suppress(ImportError):
            found.append(getattr(importlib.import_module(module), name))
    return tuple(found)


def _verify(name: str, root: Path, files: Sequence[str], token: str | None) -> None:
    """Raises ModelError for a file that differs from the Hub's, after removing it from the cache."""
    from huggingface_hub import HfApi

    told = {info.path: info for info in HfApi(token=token).get_paths_info(name, list(files), revision=root.name)}
    for file in files:
        path, info = root / file, told.get(file)
        lfs = getattr(info, "lfs", None)
        expected = lfs.sha256 if lfs else getattr(info, "blob_id", None)
        if expected is None:
            raise ModelError(f"{name}: the Hub does not say what {file} has to be: try again")
        actual = _digest(path) if lfs else _git_digest(path)
        if actual != expected:
            target = path.resolve()
            path.unlink()
            target.unlink(missing_ok=True)
            raise ModelError(
                f"{name}: {file} was damaged on its way (sha {actual[:12]}…, not {expected[:12]}…): try again"
            )


def _digest(path: Path, kind: str = "sha256", head: bytes = b"") -> str:
    digest = hashlib.new(kind, head, usedforsecurity=False)
    with opened(path) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _git_digest(path: Path) -> str:
    """The digest by which git, and so the Hub, identifies a file that is not in LFS."""
    return _digest(path, "sha1", b"blob %d\0" % checked(path).st_size)
