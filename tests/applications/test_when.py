from __future__ import annotations

import pytest
import torch

from inrvid import InrvidError, Latents, build_generator
from inrvid.applications.when import When, check_times

from ..small import small_generator

G = build_generator(small_generator("inr_gan", "conv1d", fps=25.0)).eval()  # clips of 8 frames


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"frames": 3, "start": -2.5}, [-2.5, -1.5, -0.5]),
        ({"stride": 4}, [0, 4]),
        ({"slow": 4.0, "frames": 3}, [0, 0.25, 0.5]),
        ({"seconds": 0.12}, [0, 1, 2]),
        ({"fps": 50.0, "seconds": 0.06, "stride": 3}, [0, 1.5, 3]),
        ({"frames": 1, "start": 45000.0}, [45000]),
    ],
)
def test_times(asked, expected):
    assert When.of(**asked).times(G).tolist() == expected


def test_half_the_speed_is_twice_as_long():
    assert len(When.of(slow=2.0).times(G)) == 16


def test_one_length():
    with pytest.raises(InrvidError, match=r"^--frames and --seconds: give one of them$"):
        When.of(frames=3, seconds=1.0)
    with pytest.raises(InrvidError, match=r"^--slow: should be greater than 0"):
        When.of(slow=0.0)


def test_times_that_given_noises_do_not_reach_are_refused_before_all_else():
    drawn = G.sample_latents(1)
    given = Latents(drawn.content, drawn.motion.at(torch.arange(40)[None]), drawn.label)
    distance = G.motion.span.distance
    check_times(G.inr(given), torch.arange(4.0))
    late, early = "the sequence holds 40", "times of such noise begin at 0"
    for t, told in ((torch.tensor([-1.0, 2.0]), early), (torch.tensor([0.0, 40 * distance]), late)):
        check_times(G.inr(drawn), t)
        with pytest.raises(InrvidError, match=told):
            check_times(G.inr(given), t)
