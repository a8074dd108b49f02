"""What every part of its kind has to do."""

from __future__ import annotations

from inrvid.testing import conformance


class TestGru(conformance("motions", "gru")):
    pass


class TestGenerator(conformance("generators", "mocogan")):
    pass


class TestDiscriminators(conformance("discriminators", "mocogan")):
    pass


class TestSg2Discriminators(conformance("discriminators", "mocogan_sg2")):
    pass


class TestLoss(conformance("losses", "mocogan")):
    pass
