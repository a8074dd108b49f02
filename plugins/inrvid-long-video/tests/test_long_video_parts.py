"""What every part of its kind has to do."""

from __future__ import annotations

from inrvid.testing import conformance

FILTERS = {"noises": 3, "filters": 5, "shortest_period": 20.0, "longest_period": 80.0}


class TestFilteredNoise(conformance("motions", "filtered_noise", small=FILTERS)):
    pass


class TestTemporalScale(conformance("augments", "temporal_scale")):
    pass
