"""What every part of its kind has to do."""

from __future__ import annotations

from inrvid.testing import conformance


class TestLatentWalk(conformance("motions", "latent_walk")):
    pass


class TestGenerator(conformance("generators", "mocogan_hd")):
    pass


class TestNoisyImages(conformance("generators", "stylegan2_noise")):
    pass


class TestInDomain(conformance("discriminators", "mocogan_hd")):
    pass


class TestCrossDomain(conformance("discriminators", "mocogan_hd_cross")):
    pass


class TestInDomainLoss(conformance("losses", "mocogan_hd")):
    pass


class TestCrossDomainLoss(conformance("losses", "mocogan_hd_cross")):
    pass
