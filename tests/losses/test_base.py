"""Phases that train nothing are refused."""

from __future__ import annotations

import pytest

from inrvid.errors import InrvidError
from inrvid.losses.base import Phase


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"moves": "genrator"}, "phase G: moves 'genrator': one of generator, discriminator"),
        ({"sees": ("fakes",)}, r"phase G: sees \('fakes',\): a tuple of 'real' and 'fake'"),
        ({"sees": "fake"}, "phase G: sees 'fake': a tuple"),
        ({"interval": 0}, "phase G: its interval is 0"),
    ],
)
def test_phases_that_are_none_are_refused(keys, told):
    with pytest.raises(InrvidError, match=told):
        Phase(**{"name": "G", "moves": "generator", "sees": ("fake",), "loss": lambda turn: turn, **keys})
