"""Inception score: of what it is made, of how many clips, and by whom. (The formula: test_distances.)"""

from __future__ import annotations

import pytest
import torch

from inrvid.errors import InrvidError
from inrvid.evaluation.measures import built
from inrvid.registry import registry

CPU = torch.device("cpu")
PARTS = {"": slice(None)}


def metric(**keys):
    return registry("metrics").build({"type": "inception_score", **keys})


def sure(*classes: int) -> torch.Tensor:
    """Logits of a classifier that is sure of a class of four for each clip."""
    return 100.0 * torch.eye(4, dtype=torch.float64)[list(classes)]


def test_features_are_logits():
    """Sure of one of four classes for each clip: 4, the number of classes; of no class: 1."""
    assert metric(splits=2).score(sure(0), sure(0, 1, 2, 3, 3, 2, 1, 0), PARTS)[""] == pytest.approx(4)
    assert metric(splits=2).score(sure(0), torch.zeros(8, 4).double(), PARTS)[""] == pytest.approx(1)


def test_splits_are_not_lowered():
    assert metric().score(sure(0), sure(*range(4)).repeat(5, 1), PARTS)[""] == pytest.approx(2)  # two clips a split
    with pytest.raises(InrvidError, match="inception_score: 10 splits need 20 clips, there are 19"):
        metric().score(sure(0), torch.zeros(19, 4), PARTS)


def test_features_that_are_no_logits_are_refused_with_what_has_classes():
    configs = registry("metrics").validate({"type": "inception_score", "detector": {"type": "statistics"}})
    with pytest.raises(InrvidError) as error:
        built([configs], CPU)
    message = str(error.value)
    assert message.startswith("inception_score: statistics, as it is configured, gives no logits of classes")
    assert message.endswith(
        'c3d {"outputs": "logits"}, efficientnet_lite0 {"outputs": "logits"}, i3d {"outputs": "logits"}, '
        'i3d_torchscript, timm {"outputs": "logits"}, videomae {"outputs": "logits"}'
    )
