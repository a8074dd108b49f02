"""CLIP as a judge: what it is given, whose weights it has, and what is refused.

open_clip's own networks, as small as they come, where it is installed; a stand-in with its interface where it is not.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import types

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from inrvid import InrvidError
from inrvid.applications.edit import clip
from inrvid.applications.edit.clip import TextJudge
from inrvid.applications.edit.guided import GuidedRequest, guided

from ...evaluation.detectors.making import imported
from ..making import model

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


class Tiny(nn.Module):
    """Colours, as an image encoder; lengths of words, as a text encoder."""

    def __init__(self):
        super().__init__()
        self.colours = nn.Linear(3, 4)

    def encode_image(self, images):
        assert images.shape[2:] == (8, 8)
        return self.colours(images.mean(dim=(2, 3)))

    def encode_text(self, tokens):
        return F.one_hot(tokens[:, 0] % 4, 4).float()


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """open_clip's interface, as far as it is used; the network and a file of its weights."""
    torch.manual_seed(0)
    network = Tiny()
    tags = {"here": {"hf_hub": "lab/tiny/", "quick_gelu": True}, "elsewhere": {"url": "https://a"}}
    asked = []

    def create_model(name, **options):
        asked.append((name, options))
        return Tiny()

    module = types.SimpleNamespace(
        list_models=lambda: ["tiny", "foreign"],
        get_model_config=lambda name: {"text_cfg": {"hf_tokenizer_name": "lab/words"} if name == "foreign" else {}},
        list_pretrained_tags_by_model=lambda name: list(tags),
        pretrained=types.SimpleNamespace(get_pretrained_cfg=lambda name, tag: tags[tag]),
        create_model=create_model,
        get_model_preprocess_cfg=lambda network: {"size": 8, "mean": MEAN, "std": STD},
        get_tokenizer=lambda name: lambda texts: torch.tensor([[len(text)] for text in texts]),
    )
    monkeypatch.setitem(sys.modules, "open_clip", module)
    path = tmp_path / "tiny.safetensors"
    save_file(network.state_dict(), path)
    return types.SimpleNamespace(network=network, path=path, asked=asked)


def test_it_is_one_minus_the_cosine(stand_in):
    judge = TextJudge("blue", model="tiny", weights=stand_in.path)
    frames = torch.rand(3, 3, 32, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    images = F.interpolate(frames, size=(8, 8), mode="bicubic", antialias=True) / 2 + 0.5
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (MEAN, STD))
    seen = stand_in.network.encode_image((images - mean) / std)
    torch.testing.assert_close(judge(frames), 1 - F.cosine_similarity(seen, torch.tensor([[1.0, 0, 0, 0]])))
    assert judge.sha256 == hashlib.sha256(stand_in.path.read_bytes()).hexdigest()
    ((name, options),) = stand_in.asked
    assert name == "tiny"
    assert options["pretrained"] is None  # which would let open_clip fetch and read weights itself
    assert options["load_weights"] is options["pretrained_text"] is options["force_quick_gelu"] is False


def test_a_frame_comes_nearer_to_the_text(stand_in):
    G = model()
    latents = G.sample_latents(1)
    judge = TextJudge("a red sky", model="tiny", weights=stand_in.path)
    told = []
    guided(G, latents, judge, GuidedRequest(), name="red", how="", told=lambda step, loss: told.append(loss))
    assert len(told) == 40
    assert min(told) < told[0] - 0.05


def test_weights_come_from_the_hub_by_their_tag(stand_in, monkeypatch):
    fetched = []

    def fetch(name, files):
        fetched.append((name, files))
        return stand_in.path.parent

    stand_in.path.rename(stand_in.path.parent / clip.FILE)
    monkeypatch.setattr(clip, "fetch", fetch)
    TextJudge("blue", model="tiny", weights="here")
    assert fetched == [("lab/tiny", ["open_clip_model.safetensors"])]
    assert stand_in.asked[0][1]["force_quick_gelu"] is True


def test_what_is_not_there_is_told(stand_in, tmp_path):
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    for keys, told in (
        ({"model": "tinny"}, "open_clip has no such network. Did you mean 'tiny'?"),
        ({"model": "foreign"}, "its text is read by lab/words, of another library"),
        ({"weights": "elsewhere"}, "no weights of tiny that the Hub has: here"),
        ({"weights": "none.safetensors"}, "no such file"),
        ({"weights": tmp_path / "other.safetensors"}, "not weights of tiny"),
    ):
        with pytest.raises(InrvidError) as refused:
            TextJudge("blue", **{"model": "tiny", "weights": stand_in.path, **keys})
        assert told in str(refused.value)


def test_without_open_clip_it_says_what_to_install():
    if importlib.util.find_spec("open_clip") is not None:
        pytest.skip("open_clip is installed")
    with pytest.raises(InrvidError, match=r"^CLIP is open_clip's, .*: pip install 'inrvid\[edit\]'$"):
        TextJudge("a red sky")


def test_networks_of_open_clip_s(tmp_path):
    open_clip = imported("open_clip")
    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    (tmp_path / "inrvid-tiny.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "inrvid-tiny.json")
    torch.manual_seed(0)
    network = open_clip.create_model("inrvid-tiny").eval()
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    judge = TextJudge("a red sky", model="inrvid-tiny", weights=tmp_path / "w.safetensors")
    frames = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD))
    with torch.no_grad():
        seen = network.encode_image((frames / 2 + 0.5 - mean) / std)
        text = network.encode_text(open_clip.tokenize(["a red sky"]))
    torch.testing.assert_close(judge(frames), 1 - F.cosine_similarity(seen, text), rtol=1e-3, atol=1e-4)
    assert judge(frames.requires_grad_()).sum().requires_grad
