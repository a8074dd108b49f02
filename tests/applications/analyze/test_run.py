"""Every analysis of every model: it is done, or there is one line why not."""

from __future__ import annotations

import json

import pytest
import torch

from inrvid import InrvidError, build_discriminator, build_generator
from inrvid.applications.analyze.finding import Finding
from inrvid.applications.analyze.long_videos import motion_diversity
from inrvid.applications.analyze.run import ANALYSES, Request, analyze, of_model

from ...small import combinations, small, small_generator
from ..making import model

SHORT = Request(videos=2, frames=18)


@pytest.mark.parametrize("names", combinations())
def test_of_every_combination(names):
    found = dict(analyze(model(*names), None, SHORT))
    assert list(found) == list(ANALYSES)
    for name, finding in found.items():
        if isinstance(finding, Finding):
            json.dumps(finding.as_data(), allow_nan=False)
            assert finding.charts or finding.pictures
        else:
            assert "\n" not in str(finding)
            assert name in ("motion", "cycles", "intervals", "gradients")


def test_with_the_discriminator_that_lies_beside(tmp_path):
    model().save_pretrained(tmp_path)
    asked = Request(only=("gradients", "intervals"), videos=2)
    assert all("no discriminator beside this model" in str(found) for _, found in of_model(tmp_path, asked))
    D = small("discriminators", "dual")
    build_discriminator(D).save_pretrained(tmp_path / "discriminator")
    assert all(isinstance(found, Finding) for _, found in of_model(tmp_path, asked))
    build_discriminator({**D, "resolution": 16}).save_pretrained(tmp_path / "discriminator")
    assert all("of another resolution" in str(found) for _, found in of_model(tmp_path, asked))


def test_a_name_that_there_is_not():
    with pytest.raises(
        InrvidError, match=r"--only slice: no such analysis. Did you mean 'slices'\?\n  available: motion"
    ):
        analyze(model(), None, Request(only=("slice",)))


def test_what_the_analyses_are_asked():
    G = build_generator(small_generator("inr_gan", "global")).eval()
    D = build_discriminator(small("discriminators", "dual")).eval()
    found = dict(analyze(G, D, Request(only=("intervals", "diversity"), frames=4)))
    for chart in found["intervals"].charts.values():
        assert chart["motion"][-1][0] == G.clip_length - 1
    t = torch.arange(4, dtype=torch.float64)
    expected = motion_diversity(G, G.sample_latents(1), G.sample_latents(8, seed=1), t)
    assert found["diversity"].numbers == expected.numbers
