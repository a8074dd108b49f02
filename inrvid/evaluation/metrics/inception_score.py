"""Inception score (Salimans et al., NeurIPS 2016): of the generated clips alone, by a classifier."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field
from torch import Tensor

from ...config import Count, PartConfig
from ...errors import InrvidError
from ...registry import PartOf, registry
from ..detectors.base import Detector
from ..distances import inception_score
from .base import Metric, Parts


class InceptionScore(Metric):
    """exp E KL(p(y|x) ‖ p(y)) of a classifier's probabilities; real clips play no part.

    The mean over `splits` groups of consecutive clips.
    """

    source = "Salimans et al. (NeurIPS 2016)"

    class Config(Metric.Config):
        detector: Annotated[PartConfig, PartOf("detectors")] = Field(
            {"type": "c3d"}, validate_default=True, description="the classifier; published scores of videos are by C3D"
        )
        splits: Count = Field(10, description="groups whose scores are averaged, of two clips or more each")

    config: Config
    better = "higher"

    @property
    def fewest(self) -> int:
        """Two per split: the score of one clip is 1, whatever it shows."""
        return 2 * self.config.splits

    @property
    def fewest_real(self) -> int:
        return 2  # it looks at none

    def check(self, detector: Detector) -> None:
        if not detector.gives_logits:
            raise InrvidError(
                f"{self.name}: {detector.digest.name}, as it is configured, gives no logits of classes; "
                f"detectors that do: {', '.join(_classifiers())}"
            )

    def score(self, real: Tensor, fake: Tensor, parts: Parts) -> dict[str, float]:
        """Score of features that are logits; higher is better, 1 is the least."""
        if len(fake) < self.fewest:
            raise InrvidError(
                f"{self.name}: {self.config.splits} splits need {self.fewest} clips, there are {len(fake)}: "
                f"fewer `splits` is a score of its own"
            )
        mean, _ = inception_score(fake.softmax(dim=1), splits=self.config.splits)
        return {"": mean}


def _classifiers() -> list[str]:
    """Detectors whose features can be logits, and the keys with which they are."""
    found = []
    for name in registry("detectors").names():
        try:
            keys = getattr(registry("detectors").component(name), "logits_with", None)
        except InrvidError:  # a plugin that fails to import: `plugins list` reports it
            continue
        if keys is not None:
            found.append(f"{name} {json.dumps(dict(keys))}" if keys else name)
    return found
