"""Which weights act on styles: all of them, and none that does not."""

from __future__ import annotations

import pytest
import torch

from inrvid import InrvidError, build_generator
from inrvid.layers.linear import StyleAffine

from ..small import combinations, small_generator

CASES = [*((pair, {}) for pair in combinations()), (("stylegan2", "conv1d"), {"motion_input": "styles"})]


def frames(G, ws):
    latents = G.sample_latents(1, seed=3)
    motion, label = latents.motion, latents.label
    with torch.no_grad():
        return G.inr_of_ws(ws, motion, label)(torch.tensor([0.0, 3.0]))


def styles(G, seed):
    return torch.randn(1, G.num_ws, G.config["w_dim"], generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("names", "keys"), CASES)
def test_styles_enter_nowhere_else(names, keys):
    G = build_generator(small_generator(*names, **keys)).eval()
    assert G.style_weights().shape[1] == G.config["w_dim"]
    assert not torch.allclose(frames(G, styles(G, 0)), frames(G, styles(G, 1)))
    for module in G.modules():
        if isinstance(module, StyleAffine):
            module.weight.data[:, : G.config["w_dim"]] = 0
    assert not G.style_weights().any()
    for head in (m for m in G.modules() if hasattr(m, "affine") and not isinstance(m.affine, StyleAffine)):
        head.affine.weight.data.zero_()  # a motion that depends on the content's style is no part of a look
    torch.testing.assert_close(frames(G, styles(G, 0)), frames(G, styles(G, 1)))


def test_they_are_the_weights_that_layers_multiply_with():
    G = build_generator(small_generator("inr_gan", "static"))
    layer = next(m for m in G.modules() if isinstance(m, StyleAffine))
    w = torch.randn(1, 12)
    torch.testing.assert_close(layer(w) - layer(0 * w), w @ G.style_weights()[: len(layer.weight)].mT)


def test_a_generator_that_does_not_say_is_told():
    G = build_generator(small_generator("inr_gan", "static"))
    for module in list(G.modules()):
        if hasattr(module, "affine"):
            module.affine = torch.nn.Identity()
    with pytest.raises(InrvidError, match="does not say which of its layers take styles in"):
        G.style_weights()
