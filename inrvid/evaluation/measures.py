"""The metrics of a score, and the detectors through which they see clips: each detector is built once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch

from ..config import PartConfig
from ..errors import InrvidError
from ..layers.half import SLOW_ON_CPU
from ..registry import registry
from .detectors.base import DTYPES, Detector, NotHere
from .metrics.base import Metric


class Measures(NamedTuple):
    metrics: list[Metric]
    detectors: dict[str, Detector]
    """By `detector_name`."""
    left_out: list[str]
    """One line for each optional metric whose detector is not available: which one, and how to get it."""


def built(configs: Sequence[PartConfig], device: torch.device, optional: Sequence[PartConfig] = ()) -> Measures:
    """Build metrics with their detectors.

    Args:
        optional: metrics that are left out if their detectors are not available.

    Raises:
        InrvidError: the detector of another metric is not available, does not suit its metric, or has a precision in
            which this processor is slow; two metrics have the same name, so that a score would not say which it is of;
            two detectors differ only in their weights.
    """
    metrics: list[Metric] = [registry("metrics").build(config) for config in (*configs, *optional)]
    _check(metrics)
    found = Measures([], {}, [])
    for number, metric in enumerate(metrics):
        config = metric.config.detector
        name = detector_name(config)
        try:
            if name not in found.detectors:
                found.detectors[name] = _detector(config, device).to(device)
        except NotHere as error:
            if number < len(configs):
                raise
            found.left_out.append(f"{metric.name} is left out: {error}")
            continue
        metric.check(found.detectors[name])
        found.metrics.append(metric)
    return found


def detector_name(config: PartConfig, *, files: bool = False) -> str:
    """The type and its configuration where it is not the default; where its weights are only with `files`: otherwise
    the digest says which they are."""
    hidden = {"type"} if files else {"type", "weights", "sha256"}
    data = config.model_dump(mode="json", exclude_defaults=True, exclude=hidden)
    return config.type + (json.dumps(data, sort_keys=True, separators=(",", ":")) if data else "")


def _detector(config: PartConfig, device: torch.device) -> Detector:
    with torch.random.fork_rng(devices=[]):  # leaves the draws of a training beside it alone
        detector: Detector = registry("detectors").build(config)
    precision = detector.digest.precision
    if device.type == "cpu" and DTYPES.get(precision) in SLOW_ON_CPU:
        raise InrvidError(
            f"{detector.digest.name}: precision: {precision}: this processor is many times slower in it than in fp32: "
            "score with precision: fp32, or on a GPU"
        )
    return detector


def _check(metrics: Iterable[Metric]) -> None:
    names = [metric.name for metric in metrics]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InrvidError(f"metrics: {', '.join(twice)}: two of one name: score them one at a time")
    configs: dict[str, PartConfig] = {}
    for metric in metrics:
        name = detector_name(metric.config.detector)
        if configs.setdefault(name, metric.config.detector) != metric.config.detector:
            raise InrvidError(f"metrics: {name} with two files of weights: score them one at a time")
