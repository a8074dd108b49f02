"""Models on disk and on the Hub: config.json (plain data) and model.safetensors.

Nothing is unpickled, no code is loaded, and nothing that a download names is imported or installed: config.json
records which package gave each component, and a missing one is reported with the command that installs it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from safetensors.torch import save

from .. import __version__
from ..config import PartConfig
from ..documents import Document, DocumentError, read
from ..errors import ConfigError, InrvidError, ModelError
from ..files import opened, write_bytes, write_text
from ..generators.base import VideoGenerator
from ..precision import in_precision
from ..registry import field_part, registry
from ..weights import Unfit, check_header, load_into
from .build import build_generator, shapes

CONFIG, WEIGHTS = "config.json", "model.safetensors"


class Provider(Document):
    """Who gave a component: a package and its version."""

    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.+!_-]{0,100}$")]


class ModelConfig(Document):
    """config.json. What else is in it (recipe, clips, …) is for people."""

    generator: dict[str, Any]
    components: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")], Provider] = Field({})
    inrvid_version: str = ""


def save_generator(generator: VideoGenerator, directory: Path, metadata: Mapping[str, Any]) -> None:
    """Write config.json and model.safetensors, each whole or not at all; the weights first."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in generator.state_dict().items()}
    config = {
        **metadata,
        "inrvid_version": __version__,
        "generator": generator.config,
        "components": dict(_providers("generators", generator._config)),
    }
    write_bytes(directory / WEIGHTS, save(tensors, metadata={"format": "pt", "library": "inrvid"}))
    write_text(directory / CONFIG, json.dumps(config, indent=2, ensure_ascii=False) + "\n")


def load_generator(
    name: str | Path, *, revision: str | None = None, token: str | None = None, precision: str | None = None
) -> VideoGenerator:
    """The generator of a folder (a model, or a run with a `model/` in it) or a Hub repository `owner/name`.

    Returns it in evaluation mode, on the CPU, to run in `precision` (fp32, bf16, fp16) or the one it was trained in.

    Raises:
        ModelError: not found, not a model, weights that do not fit, or a component whose package is missing.
    """
    directory = _folder(Path(name)) or _download(str(name), revision, token)
    config = read_config(directory)
    _check_components(config.components, directory)
    described = config.generator if precision is None else in_precision(config.generator, precision)
    try:
        state = shapes("generators", described)
        if state is not None:  # compared with the file's header before anything is allocated
            check_header(directory / WEIGHTS, state)
        generator = build_generator(described)
        load_into(generator, directory / WEIGHTS)
    except ConfigError as error:
        raise ModelError(f"{directory / CONFIG}: {error}{_newer(config)}") from None
    except Unfit as error:
        raise ModelError(f"{directory / WEIGHTS}: {error}{_newer(config)}") from None
    return generator.eval()


def read_config(directory: Path) -> ModelConfig:
    """config.json of a model folder. Raises ModelError if it is not one of inrvid's."""
    try:
        return read(directory / CONFIG, ModelConfig)
    except DocumentError as error:
        raise ModelError(f"{directory / CONFIG}: not a model of inrvid: {error}") from None


def _newer(config: ModelConfig) -> str:
    """A word on a model that a newer version wrote."""
    theirs, ours = (tuple(map(int, re.findall(r"\d{1,6}", v)[:3])) for v in (config.inrvid_version, __version__))
    if theirs <= ours:
        return ""
    return f"\n  it was made by inrvid {config.inrvid_version[:40]}, this is {__version__}: pip install -U inrvid"


def push_generator(
    generator: VideoGenerator,
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    message: str = "Upload model with inrvid",
    **metadata: Any,
) -> str:
    """Create the repository if need be and upload the model; returns the commit's address."""
    import tempfile

    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    api = HfApi(token=token, library_name="inrvid", library_version=__version__)
    try:
        with tempfile.TemporaryDirectory() as directory:
            save_generator(generator, Path(directory), metadata)
            api.create_repo(repo_id, private=private, exist_ok=True)
            return str(api.upload_folder(repo_id=repo_id, folder_path=directory, commit_message=message).commit_url)
    except HfHubHTTPError as error:
        raise ModelError(f"{repo_id}: the Hub refused: {error}\n  log in with: hf auth login") from None
    except (HFValidationError, OfflineModeIsEnabled, OSError, RuntimeError, *_transport_errors()) as error:  # type: ignore[misc]
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{repo_id}: cannot be published: {reason}") from None


def check_publishing(repo_id: str, what: str) -> None:
    """What can be known before there is a model to publish.

    Raises:
        InrvidError: no name of a repository, nobody is logged in, or the Hub's client is offline; the message names
            the key or option `what` that asks for it.
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


def _folder(path: Path) -> Path | None:
    for candidate in (path, path / "model"):
        if (candidate / CONFIG).is_file():
            return candidate
    if path.exists():
        raise ModelError(f"{path}: not a model: it has no {CONFIG} (nor model/{CONFIG})")
    return None


def _download(name: str, revision: str | None, token: str | None) -> Path:
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise ModelError(f"{name}: no such folder, and not the name of a Hub repository (owner/name)")
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        paths = [Path(hf_hub_download(name, file, revision=revision, token=token)) for file in (CONFIG, WEIGHTS)]
        with contextlib.suppress(OfflineModeIsEnabled, OSError, *_transport_errors()):
            # Without a network, what is in the cache serves: it was verified when it came.
            _verify(HfApi(token=token), name, paths[1])
    except HFValidationError as error:
        raise ModelError(f"{name}: no such folder, and not the name of a Hub repository: {error}") from None
    except LocalEntryNotFoundError:
        raise ModelError(f"{name}: no such folder, and the Hub cannot be reached") from None
    except HfHubHTTPError as error:
        raise ModelError(f"{name}: no such folder, and not on the Hub: {str(error).splitlines()[0]}") from None
    return paths[0].parent


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the Hub's client raises when it cannot connect; which library it uses depends on its version."""
    found = []
    for module, name in (("httpx", "TransportError"), ("httpx2", "TransportError"), ("requests", "ConnectionError")):
        with contextlib.suppress(ImportError):
            found.append(getattr(importlib.import_module(module), name))
    return tuple(found)


def _verify(api: Any, name: str, weights: Path) -> None:
    """Downloads over HTTP are checked for their size only: compare the hash with the Hub's.

    The revision is the commit that the file was downloaded from, which is its folder's name in the cache.
    """
    infos = api.get_paths_info(name, [WEIGHTS], revision=weights.parent.name)
    expected = next((info.lfs.sha256 for info in infos if getattr(info, "lfs", None)), None)
    with opened(weights) as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _sha256(file)
    if expected is not None and actual != expected:
        target = weights.resolve()
        weights.unlink()
        target.unlink(missing_ok=True)
        raise ModelError(
            f"{name}: {WEIGHTS} was damaged on its way (sha256 {actual[:12]}…, not {expected[:12]}…): try again"
        )


def _sha256(file: Any) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _providers(kind: str, config: PartConfig) -> Iterator[tuple[str, dict[str, str]]]:
    """(`kind.name`, package and version) of a part and the parts in it."""
    entry = registry(kind).entry(config.type)
    yield f"{kind}.{config.type}", {"package": entry.package, "version": entry.version or __version__}
    for key in type(config).model_fields:
        mark = field_part(type(config), key)
        if mark is not None:
            yield from _providers(mark.kind, getattr(config, key))


def _check_components(components: Mapping[str, Provider], directory: Path) -> None:
    for name, provider in components.items():
        kind, _, component = name.partition(".")
        try:
            registry(kind).entry(component)
        except InrvidError as error:
            update = "-U " if provider.package == "inrvid" else ""
            raise ModelError(
                f"{directory}: needs {name}, of {provider.package} {provider.version}: pip install "
                f"{update}{provider.package}"
            ) from error
