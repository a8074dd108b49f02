"""The examples in docstrings run as they stand."""

from __future__ import annotations

import inspect
import textwrap

import pytest
import torch

from inrvid import build_discriminator, build_generator
from inrvid.applications.analyze import (
    cycles,
    gradient_maps,
    intervals,
    long_videos,
    motion_features,
    run,
    slices,
)
from inrvid.applications.edit import attribute, closed_form, directions, guided, video

from ..small import small

MODULES = [
    *(cycles, gradient_maps, intervals, long_videos, motion_features, run, slices),
    *(attribute, closed_form, directions, guided, video),
]


def examples():
    found = []
    for module in MODULES:
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__:
                for paragraph in (inspect.getdoc(value) or "").split("\n\n"):
                    heading, _, example = paragraph.partition("\n")
                    found += [pytest.param(module, textwrap.dedent(example), id=name)] if heading == "Example:" else []
    return found


@pytest.mark.parametrize(("module", "example"), examples())
def test_it_runs(module, example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = build_generator(small("generators", "stylegan2", motion={"type": "conv1d", "max_period": 32.0}))
    generator.eval()
    latents = generator.sample_latents(1)
    found = {d.name: d for d in closed_form.closed_form(generator, 2)}
    directions.save_directions("d.safetensors", found.values(), generator)
    names = {
        **vars(directions),
        "generator": generator,
        "discriminator": build_discriminator(small("discriminators", "hypernetwork")).eval(),
        "latents": latents,
        "styles": directions.observed_styles(generator, range(4)),
        "frames": torch.rand(4, 2, 3, 8, 8),
        "directions": found,
        "t": torch.arange(6.0),
        "torch": torch,
    }
    exec(example, names | {name: value for name, value in vars(module).items() if callable(value)})


def test_all_have_one():
    assert len(examples()) >= 15
