"""VideoMAE with small random weights: against transformers' network, by properties, and what is refused. The published
weights were never here."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.videomae import (
    HEADS,
    MEAN,
    STD,
    Sizes,
    VideoMaeNetwork,
    load_videomae,
    positions,
)
from inrvid.registry import registry
from inrvid.weights import WeightsError

from .making import imported

SMALL = Sizes(width=24, hidden=40, depth=2, heads=3, tubelet=(2, 16, 16), classes=7)


def state_dict(sizes: Sizes = SMALL) -> dict[str, Tensor]:
    """Numbers of the order of a trained network's, the same on any machine."""
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in VideoMaeNetwork(sizes).state_dict().items()}
    return {name: _numbers(name, shape, number) for number, (name, shape) in enumerate(sorted(shapes.items()))}


def _numbers(name: str, shape: torch.Size, number: int) -> Tensor:
    a = np.random.RandomState(number).standard_normal(tuple(shape))
    if len(shape) == 1:
        a = 0.3 * a + ("norm" in name and name.endswith("weight"))
    else:
        a = 1.5 * a / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(a.astype(np.float32))


def saved(folder, state: dict[str, Tensor], name: str = "videomae.safetensors") -> str:
    save_file(state, folder / name)
    return str(folder / name)


def build(path: str, **keys):
    return registry("detectors").build({"type": "videomae", "heads": 3, "weights": path, **keys})


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    return build(saved(tmp_path_factory.mktemp("videomae"), state_dict()))


def waves(frames: int = 16, side: int = 32) -> Tensor:
    t, y, x = torch.meshgrid(*(torch.arange(float(n)) for n in (frames, side, side)), indexing="ij")
    colours = [torch.sin(x / 3 + t / 5), torch.cos(x / 7 - y / 4 + t), torch.sin(x * y / 90 - t / 2)]
    return torch.stack(colours, dim=1)[None]


FEATURES, NORM = [-0.92871, 0.48941, 0.17272, -0.66214, 0.72362, -1.71573], 4.85019
"""Of `waves`, the first six, by transformers 5.24's VideoMAEForVideoClassification with these weights."""


def test_features_as_another_implementation_computes_them(detector):
    found = detector.features(waves())
    assert found.shape == (1, 24)
    torch.testing.assert_close(found[0, :6], torch.tensor(FEATURES), rtol=1e-4, atol=1e-4)
    assert found.norm().item() == pytest.approx(NORM, rel=1e-4)


@pytest.mark.parametrize("patch", [16, 14])
def test_transformers_has_the_same_network(patch):
    """Skipped where it is not installed: the figures above are its."""
    transformers = imported("transformers")
    sizes = SMALL._replace(tubelet=(2, patch, patch))
    state = state_dict(sizes)
    config = transformers.VideoMAEConfig(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, patch_size=patch,
        num_labels=7, layer_norm_eps=1e-6,
    )  # fmt: skip
    theirs = transformers.VideoMAEForVideoClassification(config).eval()
    theirs.fc_norm.eps = 1e-6
    theirs.load_state_dict(in_transformers(state))
    frames = torch.randn(2, 16, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    ours = load_videomae(state, heads=3)
    with torch.inference_mode():
        pooled = ours(frames.transpose(1, 2))
        tokens = theirs.videomae(frames).last_hidden_state
        torch.testing.assert_close(pooled, theirs.fc_norm(tokens.mean(1)), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(ours.head(pooled), theirs(frames).logits, rtol=1e-4, atol=1e-5)


def in_transformers(state: dict[str, Tensor]) -> dict[str, Tensor]:
    places = {
        "patch_embed.proj": "videomae.embeddings.patch_embeddings.projection",
        "norm1": "layernorm_before",
        "norm2": "layernorm_after",
        "attn.proj": "attention.output.dense",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
        "blocks.": "videomae.encoder.layer.",
        "head.": "classifier.",
    }
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        for ours, others in places.items():
            name = name.replace(ours, others)
        before = name.removesuffix("attn.qkv.weight")
        if before != name:
            found |= {f"{before}attention.attention.{k}.weight": w
                      for k, w in zip(("query", "key", "value"), value.chunk(3), strict=True)}  # fmt: skip
        else:
            name = name.replace("attn.q_bias", "attention.attention.query.bias")
            found[name.replace("attn.v_bias", "attention.attention.value.bias")] = value
    return found


def test_places_are_told_by_sines_and_cosines():
    table = positions(1568, 24)
    assert table.shape == (1568, 24)
    assert table[0].tolist() == [0.0, 1.0] * 12
    assert table[1500, :2].tolist() == pytest.approx([np.sin(1500), np.cos(1500)], abs=1e-5)
    assert table[1567, -2].item() == pytest.approx(np.sin(1567 / 10000 ** (22 / 24)), abs=1e-6)


def test_frames_are_normalised_by_imagenet(detector, monkeypatch):
    """Grey of its mean is 0; white is one less its mean, in its deviations."""
    seen = []
    monkeypatch.setattr(
        detector.network, "forward", lambda clips: seen.append(clips) or clips.mean((1, 2, 3, 4))[:, None]
    )
    grey = (torch.tensor(MEAN) * 2 - 1).view(3, 1, 1).expand(1, 16, 3, 224, 224)
    detector.features(grey)
    detector.features(torch.ones(1, 16, 3, 32, 32))
    assert seen[0].shape == (1, 3, 16, 224, 224)
    assert seen[0].abs().max() < 1e-5
    torch.testing.assert_close(seen[1][0, :, 3, 5, 7], (1 - torch.tensor(MEAN)) / torch.tensor(STD))


def test_clips_are_looked_at_by_themselves_and_in_their_order(detector):
    clip = waves()
    both = detector.features(torch.cat([clip, clip.flip(1)]))
    torch.testing.assert_close(both[:1], detector.features(clip), rtol=1e-4, atol=1e-5)
    assert (both[0] - both[1]).abs().max() > 0.01


def test_published_sizes():
    """Small, base and giant have as many numbers as networks that are called so: 22, 86 and 1,011 millions."""
    millions = {}
    for width, hidden, depth, patch in ((384, 1536, 12, 16), (768, 3072, 12, 16), (1408, 6144, 40, 14)):
        with torch.device("meta"):
            network = VideoMaeNetwork(Sizes(width, hidden, depth, HEADS[width], (2, patch, patch), 0))
        millions[width] = sum(value.numel() for value in network.parameters()) // 10**6
    assert millions == {384: 21, 768: 86, 1408: 1011}
    assert 1408 // HEADS[1408] == 88


@pytest.mark.parametrize("wrap", [None, "model", "module", "state_dict"])
def test_checkpoints_of_trainings(tmp_path, detector, wrap):
    """A state dict, or one within; names with something before them; numbers of half precision."""
    state = {f"module.{name}": value.half() for name, value in state_dict().items()}
    torch.save(state if wrap is None else {wrap: state, "epoch": 3}, tmp_path / "v.pth")
    other = build(str(tmp_path / "v.pth"))
    assert (other.features(waves()) - detector.features(waves())).abs().max() < 0.02
    assert other.digest.features == detector.digest.features == "pooled (24), 2 blocks of 24, 3 heads"
    assert other.digest.sha256 != detector.digest.sha256


def test_logits_are_of_the_pooled_features(tmp_path, detector):
    path, state = saved(tmp_path, state_dict()), state_dict()
    logits = build(path, outputs="logits")
    assert logits.gives_logits
    assert not detector.gives_logits
    expected = detector.features(waves()) @ state["head.weight"].T + state["head.bias"]
    torch.testing.assert_close(logits.features(waves()), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "keys", "message"),
    [
        ({"blocks.1.attn.q_bias": None}, {}, "blocks.1.attn.q_bias is not among them"),
        ({"fc_norm.weight": None}, {}, "fc_norm.weight is not among them"),
        ({"decoder.weight": torch.ones(1)}, {}, "it has no place for decoder.weight"),
        (
            {"blocks.0.attn.proj.bias": torch.ones(5)},
            {},
            r"blocks.0.attn.proj.bias: \[5\] in the file, \[24\] expected",
        ),
        ({"fc_norm.bias": torch.full((24,), torch.nan)}, {}, "fc_norm.bias is not a tensor of finite"),
        ({"patch_embed.proj.weight": torch.ones(24, 3, 3, 16, 16)}, {}, r"cuts no clip of 16 frames of 224×224"),
        ({"patch_embed.proj.weight": torch.ones(24, 3, 16, 16)}, {}, r"cuts no clip"),
        ({"patch_embed.proj.weight": None}, {}, "patch_embed.proj.weight is not among them"),
        ({}, {"heads": None}, "how many heads share a width of 24 is not known: give `heads`"),
        ({}, {"heads": 5}, "5 heads cannot share a width of 24"),
        ({"head.weight": None, "head.bias": None}, {"outputs": "logits"}, "head.weight is not among them"),
    ],
)
def test_unfit_weights_are_refused(tmp_path, change, keys, message):
    state = {name: value for name, value in {**state_dict(), **change}.items() if value is not None}
    path = saved(tmp_path, state)
    with pytest.raises(InrvidError, match=message) as error:
        build(path, **keys)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_other_numbers_of_frames_are_refused(detector):
    for frames in (15, 17):
        with pytest.raises(InrvidError, match=f"videomae needs 16 frames, got {frames}"):
            detector.features(waves(frames))


def test_nothing_is_no_network():
    with pytest.raises(WeightsError, match="patch_embed"):
        load_videomae({"a": torch.ones(2)})
