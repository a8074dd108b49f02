"""Networks as TorchScript: the files that published scores were made with.

TorchScript is code. A file is loaded only if its sha256 is on the list of `sources`, whoever names it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from ...config import PartConfig, PathText
from .base import RESIZE, Detector, DetectorDigest, resized
from .brought import read_script
from .sources import BROUGHT, SOURCES
from .weights import find_script


class I3dTorchScript(Detector):
    """I3D as TorchScript, the file that StyleGAN-V's FVDs were made with: 400 features of clips."""

    source = "StyleGAN-V (CVPR 2022)"

    class Config(PartConfig):
        weights: PathText | None = Field(None, description="the file; default: in the cache")

    config: Config
    min_frames: ClassVar[int] = 10
    logits_with: ClassVar[Mapping[str, str]] = {}

    def __init__(self, config: Config):
        super().__init__(config)
        source = BROUGHT["i3d_torchscript"]
        self.network: Any = torch.jit.load(io.BytesIO(read_script(source, config.weights)), map_location="cpu").eval()
        self.digest = DetectorDigest(
            name=source.name,
            sha256=source.sha256,
            features="return_features (400)",
            resize="the file's own, to 224×224",
        )

    def _features(self, clips: Tensor) -> Tensor:
        pixels = (clips.float() + 1) * 127.5
        with torch.jit.optimized_execution(False):  # its fuser fails on some devices
            return self.network(pixels.transpose(1, 2), rescale=True, resize=True, return_features=True)


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
