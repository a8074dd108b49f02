"""Opening files of the releases' weights: pickles, PyTorch's files, and safetensors.

A safetensors file has weights under the release's names, below `G.` (or `G_ema.`) and `D.` (or `D_state.`), and may
have the release's configuration as JSON in its metadata, under the key `config`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import RootModel

from ...discriminators.base import Discriminator
from ...documents import DocumentError, parse
from ...errors import ModelError
from ...files import read_bytes, sha256
from ...generators.base import VideoGenerator
from ...weights import WeightsError, read_metadata, read_weights
from ..snapshots.networks import Snapshot, Stored, snapshot
from ..snapshots.reader import LIMIT, read_snapshot
from .describing import Choices
from .layout import Layout
from .layouts import layout_of
from .loading import network_of


class ReleaseConfig(RootModel[dict[str, Any]]):
    """A release's configuration; its values are checked by the models built from it."""


@dataclass(frozen=True)
class Opened:
    """A file's networks, and of which release they are."""

    layout: Layout
    snapshot: Snapshot
    sha256: str
    stated: dict[str, Any] = field(default_factory=dict)
    """The release's configuration, if the file has it as such."""

    @property
    def best(self) -> Stored:
        """The generator to use: the moving average, if there is one."""
        networks = self.snapshot.networks
        return networks.get("G_ema") or networks["G"]


def opened(path: Path) -> Opened:
    """The file, read as data: nothing in it is run.

    Raises:
        WeightsError: it holds anything but networks of a release, or is damaged.
        OSError: it cannot be read.
    """
    if path.suffix == ".safetensors":
        found, stated, digest = snapshot(read_weights(path)), _stated(path), sha256(path)
    else:
        content = read_bytes(path, LIMIT)
        found, stated, digest = snapshot(read_snapshot(content)), {}, hashlib.sha256(content).hexdigest()
    generator = found.networks.get("G_ema") or found.networks["G"]
    return Opened(layout_of(generator.weights), found, digest, stated)


def from_official(path: str | Path) -> tuple[VideoGenerator, Discriminator, dict[str, Any]]:
    """(generator, discriminator, the release's configuration) of a file that has both.

    Raises:
        ModelError: not such a file, or its weights do not make the models that it describes.
    """
    path = Path(path)
    try:
        file = opened(path)
        if (stored := file.snapshot.networks.get("D")) is None:
            raise WeightsError("no discriminator in it")
        layout, choices = file.layout, Choices()
        G, of_g = network_of("generators", file.best, layout.generator, choices, file.stated)
        D, of_d = network_of("discriminators", stored, layout.discriminator, choices, file.stated)
    except WeightsError as error:
        raise ModelError(f"{path}: {error}") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from None
    return cast(VideoGenerator, G), cast(Discriminator, D), {**of_d.config, **of_g.config, **file.stated}


def _stated(path: Path) -> dict[str, Any]:
    metadata = read_metadata(path)
    if "config" not in metadata:
        return {}
    try:
        return parse(metadata["config"], ReleaseConfig).root
    except DocumentError as error:
        raise WeightsError(f"its metadata key 'config' is not JSON of a configuration: {error}") from None
