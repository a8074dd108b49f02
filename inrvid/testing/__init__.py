"""The conformance suite: what every part of a kind has to do, for the tests of packages and for the library's own.

A package's test file is a few lines; each check is a test of its own:

    from inrvid.testing import conformance

    class TestWavelet(conformance("motions", "wavelet", small={"period": 4.0})):
        def test_its_own(self): ...

`small` are keys of its configuration that make it cheap; a class says them itself as `test_settings`, which
`inrvid plugins check` uses too. Keys that are widths or sizes of the library (`sizes.SIZES`) are small already.

What a class says to the suite, where it has to: `test_settings`; `test_parts`, others that a recipe with it has, by
their places ({'discriminator': {…}}), for a loss that goes with certain networks alone; `test_unreached`, modules of a
discriminator that no logit depends on; `test_alone`, why a batch over two processes is another than in one, where that
is so.

Failures are `AssertionError`s whose message says what is wrong in a line; what cannot be looked at here (weights that
are not on this machine) is `unittest.SkipTest`. Nothing here needs pytest.
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
