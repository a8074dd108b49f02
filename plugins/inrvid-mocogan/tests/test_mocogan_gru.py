"""The recurrent codes in continuous time."""

from __future__ import annotations

import pytest
import torch

from inrvid import InrvidError, build_generator
from inrvid.plugins import Draws, registry

NO_LABEL = torch.zeros(1, 0)


def gru(**keys):
    torch.manual_seed(0)
    return registry("motions").build({"type": "gru", "code_dim": 6, **keys}, z_dim=9, label_dim=0, clip_length=8)


def at(motion, noise, *times):
    with torch.no_grad():
        return motion(noise, NO_LABEL, torch.tensor([times], dtype=torch.float64))[0]


def test_codes_are_the_steps_of_a_cell_that_starts_at_random():
    motion, noise = gru(distance=2), torch.randn(1, 6, 6)
    cell = torch.nn.GRUCell(6, 6)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in motion.recurrent.state_dict().items()})
    h, steps = noise[:, 0], []
    for k in range(1, 6):
        h = cell(noise[:, k], h)
        steps.append(h[0])
    torch.testing.assert_close(at(motion, noise, 0, 2, 4, 6, 8), torch.stack(steps))
    torch.testing.assert_close(at(motion, noise, 3.5)[0], steps[1].lerp(steps[2], 0.75))
    assert torch.equal(at(motion, noise, -7.0), at(motion, noise, 0.0))


def test_noises_serve_the_times_that_it_says():
    motion = gru(distance=3)
    start, distance, kept = motion.span
    noise = torch.randn(1, kept + 2, 6)
    at(motion, noise, start if start > -1e9 else -1e6, 2 * distance)
    with pytest.raises(InrvidError, match="code index"):
        at(motion, noise, 2 * distance + 0.01)


def test_seeded_noise_is_a_video_s_own():
    motion = gru()
    both = motion.sample_noise(Draws.of_seeds([3, 4], "motion"))
    one = motion.sample_noise(Draws.of_seeds([4], "motion"))
    t = torch.tensor([[0.0, 5.5]])
    together = motion(both, NO_LABEL.expand(2, 0), t.expand(2, -1))
    torch.testing.assert_close(motion(one, NO_LABEL, t)[0], together[1])
    assert not torch.allclose(together[0], together[1])


def test_its_head_is_the_state_where_that_is_as_wide():
    motion, state = gru(), torch.randn(1, 4, 6)
    assert torch.equal(motion.head(6, 5)(state, torch.zeros(1, 5)), state)
    assert motion.head(7, 5)(state, torch.zeros(1, 5)).shape == (1, 4, 7)


@pytest.mark.parametrize("generator", ["inr_gan", "stylegan2"])
@torch.no_grad()
def test_moves_the_library_s_generators(generator):
    sizes = {"resolution": 32, "channel_base": 256, "channel_max": 16, "z_dim": 8, "w_dim": 8}
    G = build_generator({"type": generator, **sizes, "motion": {"type": "gru"}}).eval()
    frames = G.inr(G.sample_latents(1))(torch.tensor([0.0, 1.0, 1.5]))
    assert (frames.diff(dim=1).abs().amax(dim=(0, 2, 3, 4)) > 1e-3).all()
