"""A variant, told so that it can be read."""

from __future__ import annotations

from inrvid.evaluation.protocol import load_protocol
from inrvid.evaluation.variant import variant_text


def told(*overrides: str, metrics: str | None = None) -> str:
    return variant_text(load_protocol("inrvid", overrides, metrics)[1])


def test_metrics_go_by_their_names():
    assert told() == ""
    assert told("clips=256", metrics="fvd16,fvd16s8t112") == "clips=256, metrics=fvd16s8t112"
    assert told("real.order=first") == 'real.order="first"'


def test_what_is_not_the_default_is_told():
    bf16 = "{type: fvd, frames: 16, detector: {type: i3d, precision: bf16}, unbiased: false}"
    assert told(f"metrics=[{bf16}]") == 'metrics=fvd16 by i3d{"precision":"bf16"} {"unbiased": false}'


def test_a_metric_of_a_package_that_is_not_here():
    assert variant_text({"metrics": [{"type": "nobodys", "frames": 3}]}) == 'metrics={"type": "nobodys", "frames": 3}'
