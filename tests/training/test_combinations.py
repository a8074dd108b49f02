"""The promise of the library: every generator with every motion with every discriminator, from the command line."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from PIL import Image

from ..cli.test_cli import inrvid
from .conftest import TINY

COMBINATIONS = list(
    itertools.product(("inr_gan", "stylegan2"), ("global", "conv1d", "lstm", "attention"), ("dual", "hypernetwork"))
)
SMALL = {
    "stylegan2": ["generator.motion_width=8"],
    "conv1d": ["generator.motion.code_dim=8"],
    "attention": ["generator.motion.code_dim=8"],
    "lstm": ["generator.motion.code_dim=8"],
    "hypernetwork": ["discriminator.concat_resolution=8", "discriminator.max_frames=64"],
}


@pytest.mark.parametrize(("generator", "motion", "discriminator"), COMBINATIONS)
def test_trains_and_generates_beyond_its_clip(generator, motion, discriminator, tmp_path):
    """8 frames are trained; 40 are generated."""
    types = [f"generator.type={generator}", f"generator.motion.type={motion}", f"discriminator.type={discriminator}"]
    own = [key for part in (generator, motion, discriminator) for key in SMALL.get(part, [])]
    # keys of the quickstart's own parts that the new ones lack are dropped only if inherited: set those it keeps
    tiny = [item for item in TINY if not (generator == "stylegan2" and item.split(".")[1][:5] in ("input", "coord"))]
    settings = [x for item in (*tiny, *types, *own, "train.kclips=0.008") for x in ("--set", item)]
    inrvid("train", "quickstart", "--cpu", "--run-dir", "run", *settings, cwd=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert all(math.isfinite(line["loss/G"]) and math.isfinite(line["loss/D"]) for line in lines)
    inrvid("generate", "run", "-o", "frames", "--frames", 40, "--cpu", cwd=tmp_path)
    frames = np.stack([np.asarray(Image.open(path)) for path in sorted((tmp_path / "frames").iterdir())])
    assert frames.shape == (40, 16, 16, 3)
    late = frames[32:].astype(int)
    assert np.abs(np.diff(late, axis=0)).max() > 0  # it still moves
    assert late.std() > 1
