"""What every part of its kind has to do."""

from __future__ import annotations

from inrvid.testing import conformance


class TestFilteredNoise(conformance("motions", "filtered_noise")):
    pass


class TestTemporalScale(conformance("augments", "temporal_scale")):
    pass
