"""Any image network that timm has, by its name: the DINOv2 of FD-DINOv2 (Stein et al., NeurIPS 2023), CLIP, ….

timm (an extra: `pip install 'inrvid[perceptual]'`) has the networks and says what frames they take; it is given weights
that were read here, so that it unpickles nothing and the file's sha256 is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from ...config import PartConfig, PathText
from ...errors import InrvidError, ModelError, did_you_mean
from ...files import expanded
from ...models.files import WEIGHTS
from ...models.hub import fetch
from .base import DTYPES, Detector, DetectorDigest, NotHere, resized
from .brought import read_tensors

FRAMES_AT_ONCE = 16
"""Frames that go through the network together."""

MOST_BYTES = 2**34


class Timm(Detector):
    """Features of clips by any network of timm's, such as DINOv2: means over the frames of a clip.

    Raises:
        NotHere: no timm, or no weights.
        InrvidError: no such network, or weights that do not fit it.
    """

    source = "Wightman (2019); DINOv2: Oquab et al. (TMLR 2024)"

    class Config(PartConfig):
        model: str = Field("vit_small_patch14_dinov2.lvd142m", max_length=200, description="timm's name of the network")
        outputs: Literal["pooled", "logits"] = Field(
            "pooled", description="features below the classifier, or logits of classes, if it has them"
        )
        size: Annotated[int, Field(ge=16, le=2048)] | None = Field(
            None, description="side that frames are resized to; default: the network's own (DINOv2: 518)"
        )
        precision: Literal["fp32", "bf16", "fp16"] = Field("fp32", description="of the network's numbers")
        weights: PathText | None = Field(
            None, description="safetensors or a PyTorch state dict; default: from the Hub, or from its cache"
        )
        sha256: str | None = Field(
            None, pattern=r"^[0-9a-f]{64}$", description="what the sha256 of the weights' file must be"
        )

    config: Config
    logits_with: ClassVar[Mapping[str, str]] = {"outputs": "logits"}

    mean: Tensor
    std: Tensor

    def __init__(self, config: Config):
        super().__init__(config)
        found = timm_network(config.model, config.weights, config.sha256, size=config.size)
        self.network = found.network.to(DTYPES[config.precision])
        if config.outputs == "logits" and not self.network.num_classes:
            raise InrvidError(f"timm: {config.model} has no classes: `outputs: pooled`")
        width = self.network.num_classes if config.outputs == "logits" else _width(self.network)
        self.side = config.size or found.side
        self.mode = found.mode
        self.register_buffer("mean", found.mean)
        self.register_buffer("std", found.std)
        self.digest = DetectorDigest(
            name="timm",
            package="timm",
            licence=found.licence,
            sha256=found.sha256,
            features=f"{config.model}: {config.outputs} ({width}), mean over frames",
            resize=f"{self.mode}, no antialiasing, squashed to {self.side}×{self.side}",
            precision=config.precision,
        )

    def _features(self, clips: Tensor) -> Tensor:
        return torch.stack([torch.cat([self._some(f) for f in clip.split(FRAMES_AT_ONCE)]).mean(0) for clip in clips])

    def _some(self, frames: Tensor) -> Tensor:
        """Features of frames `[N, 3, H, W]`, each by itself."""
        images = resized(frames.float(), self.side, self.mode).clamp(-1, 1) / 2 + 0.5
        images = ((images - self.mean) / self.std).to(DTYPES[self.config.precision])
        maps = self.network.forward_features(images)
        return self.network.forward_head(maps, pre_logits=self.config.outputs == "pooled").float()


class TimmNetwork(NamedTuple):
    """A network of timm's, in evaluation mode, and what it takes: frames in [0, 1], less `mean`, divided by `std`
    (`[3, 1, 1]`), with `side` pixels a side, resized by `mode`."""

    network: Any
    mean: Tensor
    std: Tensor
    side: int
    mode: str
    licence: str
    sha256: str
    """Digest of the weights' file; empty: none was read."""


def timm_network(
    model: str, weights: str | None = None, sha256: str | None = None, *, size: int | None = None, **keys: Any
) -> TimmNetwork:
    """A network by timm's name, with weights that were read here, as data.

    Args:
        weights: safetensors or a PyTorch state dict; default: from the Hub, or from its cache.
        sha256: what the sha256 of the weights' file must be.
        size: side of frames, passed to networks that take only one size.
        keys: further arguments for timm: `features_only`, …; `pretrained=False`: no weights are read.

    Raises:
        NotHere: no timm, or no weights.
        InrvidError: no such network, or weights that do not fit it.
    """
    timm = _timm()
    known = _known(timm, model)
    # Transformers have to be told the size of images, other networks take any.
    keys |= {"img_size": size} if size and known.fixed_input_size else {}
    digest = ""
    if keys.setdefault("pretrained", True):
        tensors, digest = read_tensors(_file(model, weights, known), MOST_BYTES, sha256)
        keys["pretrained_cfg_overlay"] = {"state_dict": tensors, "custom_load": False}
    network = _built(timm, model, weights, keys)
    takes = timm.data.resolve_model_data_config(network)
    mean, std = (torch.tensor(takes[key]).view(3, 1, 1) for key in ("mean", "std"))
    mode = "bilinear" if takes["interpolation"] == "bilinear" else "bicubic"  # which stands in for others, too
    return TimmNetwork(network, mean, std, max(takes["input_size"][1:]), mode, known.license or "", digest)


def _timm() -> Any:
    """Raises NotHere."""
    try:
        import timm
    except Exception as error:  # its torchvision may be for another PyTorch, and raises all kinds
        reason = " ".join(str(error).split())[:200]
        raise NotHere(f"timm cannot be imported ({reason}): pip install 'inrvid[perceptual]'") from None
    return timm


def _known(timm: Any, model: str) -> Any:
    """What timm knows about one of its networks. Raises InrvidError if it does not know it."""
    if not timm.is_model(model):
        raise InrvidError(f"timm has no network '{model}'.{did_you_mean(model, timm.list_models())}")
    try:
        return timm.get_pretrained_cfg(model)
    except Exception:  # which one depends on its version
        tags = [name.partition(".")[2] for name in timm.list_pretrained(f"{model.partition('.')[0]}.*")]
        raise InrvidError(f"timm has no weights '{model}': its tags are {', '.join(tags) or 'none'}") from None


def _file(model: str, weights: str | None, known: Any) -> Path:
    """The file that is given, or else the Hub's. Raises NotHere."""
    if weights is not None:
        return expanded(weights)
    if not known.hf_hub_id:
        raise NotHere(f"timm: of {model}, the Hub has no weights: give a file of them: `weights: PATH`")
    file = known.hf_hub_filename or WEIGHTS
    try:
        return fetch(known.hf_hub_id, [file]) / file
    except ModelError as error:
        raise NotHere(
            f"timm: no weights of {model}: {error}; where there is a network: hf download {known.hf_hub_id} "
            f"{file}; or give the file: `weights: PATH`"
        ) from None


def _built(timm: Any, model: str, weights: str | None, keys: dict[str, Any]) -> Any:
    """timm's network, with weights loaded as timm loads its own. Raises InrvidError if they do not fit."""
    try:
        network = timm.create_model(model, **keys)
    except (RuntimeError, KeyError, ValueError, AssertionError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InrvidError(f"{weights or model}: these weights do not fit: {reason}") from None
    network.pretrained_cfg.pop("state_dict", None)
    return network.eval().requires_grad_(False)


def _width(network: Any) -> int:
    """Width of the features below the classifier."""
    return int(getattr(network, "head_hidden_size", None) or network.num_features)
