"""The hinge loss by its formulas, of a discriminator of several heads."""

from __future__ import annotations

import contextlib

import pytest
import torch

from inrvid import build_discriminator
from inrvid.plugins import r1_norms, registry
from inrvid.testing import clips_for


def as_they_are(frames):
    """No augmentation."""
    return frames


class Looking:
    """A turn of a phase with clips, or with logits, that are given."""

    def __init__(self, discriminator=None, logits=None):
        self.discriminator, self._logits = discriminator, logits

    def logits(self, *kinds):
        return tuple(self._logits[kind] for kind in kinds)

    def clips(self, kind):
        return clips_for(self.discriminator)

    def augmentation(self, kind):
        return as_they_are

    def noise(self, *kinds):
        return contextlib.nullcontext()


def phases(**config):
    return {phase.name: phase for phase in registry("losses").build({"type": "hinge", **config}).phases()}


@pytest.fixture
def logits():
    numbers = torch.Generator().manual_seed(0)
    return {
        kind: {"a": torch.randn(4, generator=numbers) * 2, "b": torch.randn(4, 25, generator=numbers) * 2}
        for kind in ("real", "fake")
    }


def test_losses(logits):
    G, D = phases().values()
    turn = Looking(logits=logits)
    real, fake = logits["real"], logits["fake"]
    torch.testing.assert_close(G.loss(turn), -(fake["a"].mean() + fake["b"].mean()))
    expected = sum((1 - real[h]).clamp(min=0).mean() + (1 + fake[h]).clamp(min=0).mean() for h in ("a", "b"))
    torch.testing.assert_close(D.loss(turn), expected)


def test_nothing_is_gained_beyond_one(logits):
    turn = Looking(logits={"real": {"a": torch.full((3,), 1.5)}, "fake": {"a": torch.full((3,), -1.0)}})
    assert phases()["D"].loss(turn) == 0


def test_a_penalty_where_it_is_asked_for():
    assert list(phases()) == ["G", "D"]
    penalty = phases(penalty_gamma=3.0, penalty_interval=8)["penalty"]
    assert (penalty.sees, penalty.interval, penalty.weight) == (("real",), 8, 8)
    D = build_discriminator({"type": "dual", "resolution": 16, "channel_base": 64, "channel_max": 8})
    norms = r1_norms(D, *clips_for(D), as_they_are)
    torch.testing.assert_close(penalty.loss(Looking(D)), 1.5 * sum(x.mean() for x in norms.values()))
