"""VideoMAE: a plain vision transformer of tubelets, for clips of 16 frames at 224×224 (Tong et al., NeurIPS 2022;
VideoMAE V2: Wang et al., CVPR 2023, whose giant is the network of content-debiased FVD: Ge et al., CVPR 2024).

A clip is cut into tubelets of 2 frames, 16 or 14 pixels a side; each is a token, to which sines and cosines of its
position are added. Blocks are x + attention(norm(x)), x + mlp(norm(x)); the output is the mean of all tokens, layer-
normalised. Widths, depth and the size of a tubelet are those of the weights; the number of heads, which weights do not
show, is the papers' for that width.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ...config import Count, PartConfig, PathText
from ...errors import InrvidError
from ...weights import WeightsError
from .base import DTYPES, RESIZE, Detector, DetectorDigest, resized
from .brought import find_brought
from .networks import assign, needed
from .sources import BROUGHT

FRAMES, SIDE = 16, 224
EPS = 1e-6
"""What layer norms add to variances."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours in [0, 1], by which frames are normalised."""

HEADS = {384: 6, 768: 12, 1024: 16, 1280: 16, 1408: 16}
"""By width: small, base, large, huge, giant (whose heads have a width of 88)."""


class VideoMae(Detector):
    """Features of clips of 16 frames by VideoMAE: the normed mean of all tokens, or the logits of its classes.

    Raises:
        NotHere: no weights.
        InrvidError: weights that do not fit.
    """

    source = "Ge et al. (CVPR 2024); Wang et al. (CVPR 2023); Tong et al. (NeurIPS 2022)"

    class Config(PartConfig):
        outputs: Literal["pooled", "logits"] = Field(
            "pooled", description="the normed mean of tokens, or logits of classes, which are linear functions of it"
        )
        heads: Count | None = Field(None, description="attention heads; default: the papers' for the weights' width")
        precision: Literal["fp32", "bf16", "fp16"] = Field("fp32", description="of the network's numbers")
        weights: PathText | None = Field(
            None,
            description="safetensors or a PyTorch state dict; default: as fetched (inrvid detectors fetch videomae)",
        )
        sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="what the sha256 of `weights` must be")

    config: Config
    min_frames: ClassVar[int] = FRAMES
    max_frames: ClassVar[int] = FRAMES
    logits_with: ClassVar[Mapping[str, str]] = {"outputs": "logits"}

    mean: Tensor
    std: Tensor

    def __init__(self, config: Config):
        super().__init__(config)
        source = BROUGHT["videomae"]
        tensors, sha256 = find_brought(source, config.weights, config.sha256)
        try:
            self.network = load_videomae(tensors, config.heads, DTYPES[config.precision])
            head = needed(self.network.state_dict(), "head.weight") if config.outputs == "logits" else None
        except WeightsError as error:
            raise InrvidError(f"{config.weights or source.name}: {error}") from None
        sizes = self.network.sizes
        width = sizes.width if head is None else len(head)
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1))
        self.digest = DetectorDigest(
            name=source.name,
            sha256=sha256,
            features=f"{config.outputs} ({width}), {sizes.depth} blocks of {sizes.width}, {sizes.heads} heads",
            resize=RESIZE.format(side=SIDE),
            precision=config.precision,
        )

    def _features(self, clips: Tensor) -> Tensor:
        frames = (resized(clips.float(), SIDE) / 2 + 0.5 - self.mean) / self.std
        pooled = self.network(frames.transpose(1, 2).to(DTYPES[self.config.precision]))
        return pooled if self.config.outputs == "pooled" else self.network.head(pooled)


class Sizes(NamedTuple):
    width: int
    hidden: int
    depth: int
    heads: int
    tubelet: tuple[int, int, int]
    """Frames, height and width."""
    classes: int
    """0: the weights have none."""


class VideoMaeNetwork(nn.Module):
    """Normalised clips `[B, 3, 16, 224, 224]` → the normed mean of tokens, `[B, width]`. `head` makes logits of it."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv3d(3, sizes.width, sizes.tubelet, sizes.tubelet)})
        self.blocks = nn.Sequential(*(Block(sizes) for _ in range(sizes.depth)))
        self.fc_norm = nn.LayerNorm(sizes.width, EPS)
        if sizes.classes:
            self.head = nn.Linear(sizes.width, sizes.classes)

    def forward(self, clips: Tensor) -> Tensor:
        tokens = self.patch_embed["proj"](clips).flatten(2).transpose(1, 2)
        places = positions(tokens.shape[1], self.sizes.width).to(tokens)
        return self.fc_norm(self.blocks(tokens + places).mean(1))


class Block(nn.Module):
    """`[B, N, width]` → the same."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(sizes.width, EPS), nn.LayerNorm(sizes.width, EPS)
        self.attn = Attention(sizes.width, sizes.heads)
        self.mlp = Mlp(sizes.width, sizes.hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Attention(nn.Module):
    """Attention of all tokens to all. Keys have no bias, which would add the same to all scores of a query."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.empty(width)), nn.Parameter(torch.empty(width))
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        three = F.linear(x, self.qkv.weight, bias).unflatten(2, (3, self.heads, -1))
        q, k, v = three.permute(2, 0, 3, 1, 4)  # [B, heads, N, width / heads] each
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """Applied to each token."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


def positions(count: int, width: int) -> Tensor:
    """What is added to the tokens at positions 0 … count − 1, `[count, width]`, float32: in column 2i the sine of
    position · 10000^(−2i / width), in column 2i + 1 its cosine (Vaswani et al., NeurIPS 2017, section 3.5)."""
    rates = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(count, dtype=torch.float64)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width].float()


def load_videomae(
    tensors: Mapping[str, Tensor], heads: int | None = None, dtype: torch.dtype = torch.float32
) -> VideoMaeNetwork:
    """The network with these weights (`patch_embed.proj.weight`, `blocks.0.attn.q_bias`, …, `fc_norm.weight`; `head`
    where there are classes), whatever prefix their names have, in evaluation mode, without gradients.

    Raises:
        WeightsError: a tensor is missing, left over, or of another shape; a width for which `heads` is not known.
    """
    tensors = without_prefix(tensors)
    with torch.device("meta"):
        network = VideoMaeNetwork(sizes_of(tensors, heads))
    assign(network, {name: value.to(dtype) for name, value in tensors.items()})
    return network


def without_prefix(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """`module.patch_embed.proj.weight` → `patch_embed.proj.weight`: without the prefix that all names share."""
    first = next((name for name in tensors if name.endswith("patch_embed.proj.weight")), "")
    prefix = first.removesuffix("patch_embed.proj.weight")
    return {name.removeprefix(prefix): value for name, value in tensors.items()}


def sizes_of(tensors: Mapping[str, Tensor], heads: int | None) -> Sizes:
    """Sizes of the network with these weights. Raises WeightsError if they are not those of such a network."""
    patches = needed(tensors, "patch_embed.proj.weight")
    if patches.ndim != 5 or any(
        size % side for size, side in zip((FRAMES, SIDE, SIDE), patches.shape[2:], strict=True)
    ):
        raise WeightsError(
            f"patch_embed.proj.weight {list(patches.shape)} cuts no clip of {FRAMES} frames of {SIDE}×{SIDE}"
        )
    width = len(patches)
    hidden = needed(tensors, "blocks.0.mlp.fc1.bias").numel()
    classes = tensors["head.bias"].numel() if "head.bias" in tensors else 0
    depth = len({found[0] for name in tensors if (found := re.match(r"blocks\.\d+\.", name))})
    t, h, w = patches.shape[2:]
    return Sizes(width, hidden, depth, _heads(width, heads), (t, h, w), classes)


def _heads(width: int, given: int | None) -> int:
    heads = given or HEADS.get(width)
    if heads is None:
        raise WeightsError(f"how many heads share a width of {width} is not known: give `heads`")
    if width % heads:
        raise WeightsError(f"{heads} heads cannot share a width of {width}")
    return heads
