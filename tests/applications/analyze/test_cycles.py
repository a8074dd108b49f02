"""Common periods of waves, and encodings that have none."""

from __future__ import annotations

import pytest
import torch

from inrvid.applications.analyze.cycles import common_period, cycles, likeness
from inrvid.applications.analyze.finding import NotPossible

from ..making import model


@pytest.mark.parametrize(
    ("periods", "common"),
    [([4.0, 6.0], 12.0), ([8.0, 16.0, 32.0], 32.0), ([5.0], 5.0), ([10.0, 15.0, 6.0], 30.0), ([4.0, 4 * 2**0.5], None)],
)
def test_the_common_period_is_the_least_common_multiple(periods, common):
    period = torch.tensor(periods).double()
    values = likeness(period, 45)
    assert values[0] == 1
    assert common_period(values, float(period.min())) == common


def test_the_model_s_codes_are_beside_its_periods():
    G = model("stylegan2", "conv1d")
    finding = cycles(G, G.sample_latents(1), 64)
    (chart,) = finding.charts.values()
    assert list(chart) == ["plain waves, log", "plain waves, linear", "this model's codes"]
    assert chart["plain waves, log"][0] == (0, 1)
    assert chart["this model's codes"][-1][0] <= 32
    assert finding.numbers["head"]["periods"] == [16.0, 1024.0]
    assert finding.numbers["head"]["common_period"] == {"plain waves, log": None, "plain waves, linear": None}
    assert [picture.shape[1] for picture in finding.pictures.values()] == [64, 64]


@pytest.mark.parametrize("motion", ["global", "lstm", "static"])
def test_without_an_encoding_there_is_one_line(motion):
    G = model("inr_gan", motion)
    with pytest.raises(NotPossible, match=r"^this model's motion has no positional encoding of time: [^\n]*$"):
        cycles(G, G.sample_latents(1), 16)
