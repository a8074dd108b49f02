"""The layer of attention over windows of codes."""

from __future__ import annotations

import torch

from inrvid.motion.attention import WindowAttention


@torch.no_grad()
def test_attention_is_its_formula():
    torch.manual_seed(0)
    layer, x = WindowAttention(6, 3, 2), torch.randn(1, 5, 6)
    found = layer(x)
    assert found.shape == (1, 3, 6)
    for i in range(3):
        window = x[0, i : i + 3] + layer.position
        q, k, v = layer.query(window[1:2]), layer.key(window), layer.value(window)
        answer = [((q[:, h] @ k[:, h].mT) / 3**0.5).softmax(-1) @ v[:, h] for h in (slice(0, 3), slice(3, 6))]
        expected = torch.nn.functional.leaky_relu(window[1] + layer.out(torch.cat(answer, dim=1))[0], 0.2)
        torch.testing.assert_close(found[0, i], expected)
