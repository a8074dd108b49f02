"""Networks as TorchScript: the files that published scores were made with.

TorchScript is code. A file is loaded only if its sha256 is on the list below, whoever names it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from ...config import PartConfig, PathText
from ...errors import InrvidError
from ...files import cache_directory, expanded, read_bytes
from .base import RESIZE, Detector, DetectorDigest, resized
from .sources import SOURCES
from .weights import find_script

MOST_BYTES = 2**28


@dataclasses.dataclass(frozen=True)
class Script:
    """A file that is known by its sha256, and where it can be had."""

    file: str
    sha256: str
    origin: str

    def load(self, given: str | None) -> torch.jit.ScriptModule:
        """Raises InrvidError: not there, or another file."""
        path = expanded(given) if given else cache_directory() / "detectors" / self.file
        try:
            content = read_bytes(path, MOST_BYTES)
        except OSError:
            raise InrvidError(
                f"{self.file} (sha256 {self.sha256}) is needed: get it from {self.origin}, and put it at {path}"
            ) from None
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise InrvidError(f"{path}: sha256 is {found}, {self.sha256} is expected: TorchScript is code, not loaded")
        return torch.jit.load(io.BytesIO(content), map_location="cpu").eval()


I3D = Script(
    file="i3d_torchscript.pt",
    sha256="bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2",
    origin="the Hub repository flateon/FVD-I3D-torchscript",
)


class I3dTorchScript(Detector):
    """I3D as TorchScript, the file that StyleGAN-V's FVDs were made with: 400 features of clips."""

    source = "StyleGAN-V (CVPR 2022)"

    class Config(PartConfig):
        path: PathText | None = Field(None, description="the file; default: in the cache")

    config: Config
    min_frames: ClassVar[int] = 10

    def __init__(self, config: Config):
        super().__init__(config)
        self.network: Any = I3D.load(config.path)
        self.digest = DetectorDigest(
            name="i3d_torchscript", sha256=I3D.sha256, features="return_features (400)", resize=RESIZE.format(side=224)
        )

    def _features(self, clips: Tensor) -> Tensor:
        pixels = (resized(clips.float(), 224) + 1) * 127.5
        with torch.jit.optimized_execution(False):  # its fuser fails on some devices
            return self.network(pixels.transpose(1, 2), rescale=True, resize=False, return_features=True)


class Inception(Detector):
    """Inception of ImageNet, as TorchScript: the 2,048 features of FID, means over a clip's frames."""

    source = "Szegedy et al. (CVPR 2016); FID: Heusel et al. (NeurIPS 2017)"

    class Config(PartConfig):
        pass

    def __init__(self, config: PartConfig):
        super().__init__(config)
        source = SOURCES["inception"]
        self.network: Any = torch.jit.load(io.BytesIO(find_script(source)), map_location="cpu").eval()
        self.digest = DetectorDigest(
            name=source.name,
            package=source.package,
            version=source.version,
            licence=source.licence,
            sha256=source.member_sha256,
            features="pooled (2048)",
            resize=RESIZE.format(side=299),
        )

    def _features(self, clips: Tensor) -> Tensor:
        frames = resized(clips.float(), 299).clamp(-1, 1)
        return self.network(frames.flatten(0, 1)).unflatten(0, frames.shape[:2]).mean(dim=1)
