"""A judge that reads text: how far pictures are from a text, by CLIP (Radford et al., ICML 2021).

open_clip (an extra: `pip install 'inrvid[edit]'`) has the networks and their tokenizer; the weights are read here, as
data, from the Hub or a file.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import InrvidError, did_you_mean
from ...evaluation.detectors.brought import read_tensors
from ...files import expanded
from ...models.hub import fetch

MODEL, WEIGHTS = "ViT-B-32", "laion2b_s34b_b79k"
"""open_clip's names of a network and of weights for it; these are under the MIT licence."""

FILE = "open_clip_model.safetensors"
"""The file of weights in open_clip's repositories."""

MOST_BYTES = 2**34


class TextJudge:
    """1 − the cosine of CLIP's embeddings of a picture and of the text, 0 … 2.

    Example:
        judge = TextJudge("a red sky")
        direction = guided(generator, latents, judge, name="red", how="CLIP: a red sky")

    Args:
        model: open_clip's name of a network.
        weights: open_clip's name of weights that the Hub has, or a file: safetensors, or a state dict of PyTorch's.

    Raises:
        InrvidError: no open_clip, no such network, no weights, or weights that do not fit.
    """

    def __init__(
        self, text: str, *, model: str = MODEL, weights: str | Path = WEIGHTS, device: torch.device | str = "cpu"
    ):
        open_clip = _open_clip()
        _check(open_clip, model)
        path, quick = _file(open_clip, model, weights)
        network = _untrained(open_clip, model, quick)
        tensors, self.sha256 = read_tensors(path, MOST_BYTES)
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:
            raise InrvidError(f"{path}: not weights of {model}: {' '.join(str(error).split())[:200]}") from None
        self.network = network.to(device).eval().requires_grad_(False)
        takes = open_clip.get_model_preprocess_cfg(network)
        size = takes["size"]
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.mean, self.std = (torch.tensor(takes[key], device=device).view(3, 1, 1) for key in ("mean", "std"))
        with torch.no_grad():
            tokens = open_clip.get_tokenizer(model)([text]).to(device)
            self.wanted = F.normalize(self.network.encode_text(tokens), dim=-1)

    def __call__(self, frames: Tensor) -> Tensor:
        """Frames `[N, 3, H, W]` in [−1, 1] → `[N]`."""
        images = F.interpolate(frames.float(), size=self.size, mode="bicubic", antialias=True) / 2 + 0.5
        seen = self.network.encode_image((images - self.mean) / self.std)
        return 1 - (F.normalize(seen, dim=-1) * self.wanted).sum(dim=1)


def _open_clip() -> Any:
    try:
        import open_clip
    except Exception as error:  # its torchvision may be for another PyTorch, and raise anything
        reason = " ".join(str(error).split())[:200]
        raise InrvidError(
            f"CLIP is open_clip's, which cannot be imported ({reason}): pip install 'inrvid[edit]'"
        ) from None
    return open_clip


def _untrained(open_clip: Any, model: str, quick: bool) -> Any:
    """The network without weights, which are read here: open_clip fetches none, and is kept from warning of that."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        return open_clip.create_model(
            model, pretrained=None, load_weights=False, pretrained_text=False, force_quick_gelu=quick
        )
    finally:
        logging.disable(before)


def _check(open_clip: Any, model: str) -> None:
    """Raises InrvidError for a network that open_clip lacks, or that would fetch more than weights."""
    known = open_clip.list_models()
    if model not in known:
        raise InrvidError(f"--clip {model[:80]}: open_clip has no such network.{did_you_mean(model, known)}")
    text = open_clip.get_model_config(model).get("text_cfg", {})
    if foreign := text.get("hf_tokenizer_name") or text.get("hf_model_name"):
        raise InrvidError(
            f"--clip {model}: its text is read by {foreign}, of another library: choose a ViT or RN of CLIP's"
        )


def _file(open_clip: Any, model: str, weights: str | Path) -> tuple[Path, bool]:
    """The file of weights, and whether they need the quick GELU."""
    if expanded(weights).is_file():
        return expanded(weights), False
    tags = {
        tag: open_clip.pretrained.get_pretrained_cfg(model, tag)
        for tag in open_clip.list_pretrained_tags_by_model(model)
    }
    on_hub = {tag: known for tag, known in tags.items() if known.get("hf_hub")}
    if str(weights) not in on_hub:
        raise InrvidError(
            f"--clip-weights {weights}: no such file, and no weights of {model} that the Hub has: "
            f"{', '.join(on_hub) or 'it has none'}"
        )
    known = on_hub[str(weights)]
    repository = "/".join(known["hf_hub"].split("/")[:2])
    return fetch(repository, [FILE]) / FILE, bool(known.get("quick_gelu", False))
