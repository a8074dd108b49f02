"""What every part of its kind has to do."""

from __future__ import annotations

from inrvid.testing import conformance


class TestBSpline(conformance("motions", "b_spline")):
    pass


class TestFirstFrame(conformance("motions", "first_frame")):
    pass


class TestChannelShift(conformance("discriminators", "channel_shift")):
    pass


class TestFirstFrameTimes(conformance("time_samplers", "first_frame")):
    pass
