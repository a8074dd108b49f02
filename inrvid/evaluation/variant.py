"""What differs from a protocol, for people to read: clips=256, metrics=fvd16, fvd16t112 by i3d{"precision":"bf16"}."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import InrvidError

IN_THE_NAME = {"type", "frames", "stride", "first", "detector"}


def variant_text(variant: Mapping[str, Any]) -> str:
    """The variant as text; empty: nothing differs. Metrics go by their names, with settings that are not defaults."""
    return ", ".join(f"{key}={value_text(key, value)}" for key, value in variant.items())


def value_text(key: str, value: Any) -> str:
    """One key's value as text."""
    if key == "metrics" and isinstance(value, list):
        return ", ".join(_metric(item) for item in value) or "none"
    return json.dumps(value, ensure_ascii=False)


def _metric(data: Any) -> str:
    from ..registry import registry  # a variant without metrics needs none of them to be imported
    from .measures import detector_name

    found = registry("metrics")
    try:
        metric, plain = found.build(data), found.build({"type": data["type"]})
    except InrvidError:  # of a package that is not installed
        return json.dumps(data, ensure_ascii=False)
    others = metric.config.model_dump(mode="json", exclude_defaults=True, exclude=IN_THE_NAME)
    detector, usual = (detector_name(part.config.detector, files=True) for part in (metric, plain))
    by = f" by {detector}" if detector != usual else ""
    return metric.name + by + (f" {json.dumps(others, ensure_ascii=False)}" if others else "")
