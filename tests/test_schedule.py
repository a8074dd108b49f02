"""Numbers that follow the clips seen."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from inrvid import InrvidError, load_recipe
from inrvid.layers.parameters import ParameterGroup
from inrvid.schedule import Cosine, value_at
from inrvid.training.optim import adam, follow


def test_half_a_cosine_and_then_constant():
    way = Cosine(start=4.0, end=2.0, kclips=10.0)
    assert [value_at(way, clips) for clips in (0, 5_000, 10_000, 99_000)] == pytest.approx([4.0, 3.0, 2.0, 2.0])
    assert 4 - value_at(way, 2_500) < 0.5 * (4 - 3)  # slow at its beginning
    assert value_at(1.5, 99_000) == 1.5


def test_optimizer_follows_its_schedules():
    cosine = "{start: 0.9, end: 0.99, kclips: 1}"
    keys = ["lr={start: 0.01, end: 0.001, kclips: 1}", f"betas=[0, {cosine}]", "lazy_interval=0", "weight_decay=0.1"]
    config = load_recipe("quickstart", [f"optim.generator.{key}" for key in keys]).optim.generator
    groups = [ParameterGroup([nn.Parameter(torch.zeros(1))]) for _ in range(2)]
    groups[1] = groups[1]._replace(lr_scale=0.5, betas=(0.5, 0.9), eps=1e-6)
    optimizer = adam(groups, config)
    plain, own = optimizer.param_groups
    assert [plain["eps"], plain["weight_decay"], own["eps"], own["weight_decay"]] == [1e-8, 0.1, 1e-6, 0.1]
    assert [plain["lr"], own["lr"], *plain["betas"], *own["betas"]] == pytest.approx([0.01, 0.005, 0, 0.9, 0.5, 0.9])
    follow(optimizer, config, 1000)
    assert [plain["lr"], own["lr"], *plain["betas"], *own["betas"]] == pytest.approx([0.001, 0.0005, 0, 0.99, 0.5, 0.9])


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("optim.generator.lr=fast", r"optim\.generator\.lr: should be a valid number, or a mapping, got 'fast'"),
        ("optim.generator.lr={start: 1, end: 2}", r"optim\.generator\.lr\.kclips: this key is required"),
        (
            "optim.generator.betas=[{start: 0, end: 2, kclips: 1}, 0]",
            r"betas\.0\.end: should be less than 1",
        ),
        ("optim.generator.lr.from=1", r"optim\.generator\.lr\.from: unknown key"),
        ("Cosine=1", r"Cosine: unknown key"),
    ],
)
def test_a_wrong_schedule_is_one_line(setting, told):
    with pytest.raises(InrvidError, match=told) as error:
        load_recipe("quickstart", [setting])
    assert "should be a valid number" in told or "valid number" not in str(error.value)
