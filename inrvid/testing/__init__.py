"""The conformance suite: what every part of a kind has to do, for the tests of packages and for the library's own.

A package's test file takes a few lines; each check is a test of its own:

    from inrvid.testing import conformance

    class TestWavelet(conformance("motions", "wavelet", small={"period": 4.0})):
        def test_its_own(self): ...

`small` holds configuration keys that make the part cheap; a class can give them itself as `test_settings`, which
`inrvid plugins check` uses too. Keys that are widths or sizes of the library (`sizes.SIZES`) are small already.

What a class tells the suite, where it has to: `test_settings`; `test_parts`, the other parts of a recipe with it, by
their places ({'discriminator': {…}}), for a loss that works only with certain networks; `test_unreached`, modules of a
discriminator that no logit depends on; `test_alone`, why a batch gives another result over two processes than in one,
where that is so.

Failures are `AssertionError`s whose message says in one line what is wrong; what cannot be checked here (weights that
are not on this machine) raises `unittest.SkipTest`. Nothing here needs pytest.
"""

from __future__ import annotations

from .checks import Checks, Failed, require
from .discriminators import clips_for
from .suite import Result, conformance, results
from .training import small_recipe, train
from .videos import half_everywhere

__all__ = [
    "Checks",
    "Failed",
    "Result",
    "clips_for",
    "conformance",
    "half_everywhere",
    "require",
    "results",
    "small_recipe",
    "train",
]
