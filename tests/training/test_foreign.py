"""Parts of a package that is only installed train without a word about them in `training/`: a generator without the
built-in mapping, a discriminator that is partly frozen and learns at two rates, a loss of four phases."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from . import test_processes as processes

PARTS = {"generators.unmapped": "Unmapped", "discriminators.half_frozen": "HalfFrozen", "losses.three": "ThreePhases"}
TYPES = ["generator.type=unmapped", "discriminator.type=half_frozen", "loss={type: three}"]
TYPES += ["optim.generator.lr=0.0001", "optim.discriminator.lr=0.0001"]  # see test_processes: roundings count for less
SETTINGS = [x for item in TYPES for x in ("--set", item)]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package, on the path of this process's children."""
    site = tmp_path / "site"
    info = site / "foreign-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("foreign.py"), site / "foreign.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    points = "".join(f"{name} = foreign:{part}\n" for name, part in PARTS.items())
    (info / "entry_points.txt").write_text(f"[inrvid.plugins]\n{points}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))


def test_they_train_on_two_processes_as_on_one(installed, tmp_path):
    for count in (1, 2):
        processes.run(tmp_path / str(count), *SETTINGS, clips=60, processes=count)
    alone, together = (processes.weights(tmp_path / str(count)) for count in (1, 2))
    assert processes.distance(together, alone) < 1e-6
    first = sorted((tmp_path / "1" / "checkpoints").glob("clips-*"))[-1]
    assert not any("mapping" in name for name in load_file(first / "generator.safetensors"))
    moments = load_file(first / "optimizer_discriminator.safetensors")
    assert not any(name.startswith("image.rgb.") for name in moments)
    assert any(name.startswith("motion.rgb.") for name in moments)
    lines = [json.loads(line) for line in (tmp_path / "1" / "metrics.jsonl").read_text().splitlines()]
    phases = {"G", "D", "R real", "R fake"}
    assert phases <= {name.removeprefix("loss/") for line in lines for name in line if name.startswith("loss/")}
    assert all(torch.isfinite(value).all() for value in alone.values())
