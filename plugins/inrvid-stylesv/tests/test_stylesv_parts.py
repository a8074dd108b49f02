"""What every part of its kind has to do."""

from __future__ import annotations

from inrvid.testing import conformance

CODES = {"code_dim": 8, "kernel": 3}


class TestBSpline(conformance("motions", "b_spline", small=CODES)):
    pass


class TestFirstFrame(conformance("motions", "first_frame", small=CODES)):
    pass


class TestChannelShift(conformance("discriminators", "channel_shift")):
    pass


class TestFirstFrameTimes(conformance("time_samplers", "first_frame")):
    pass
