"""Every analysis of every model: it is done, or there is one line why not."""

from __future__ import annotations

import json

import pytest

from inrvid import InrvidError, build_discriminator
from inrvid.applications.analyze.finding import Finding
from inrvid.applications.analyze.run import ANALYSES, Request, analyze, of_model

from ...small import combinations, small
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
