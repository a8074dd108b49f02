"""`inrvid interpolate` as it is typed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ..applications.conftest import models  # noqa: F401  (a fixture)
from .test_cli import frames, inrvid, refusal


def test_a_video_a_picture_and_the_ends(models, tmp_path):  # noqa: F811
    here = [models / "codes", "--cpu"]
    inrvid("interpolate", *here, 3, 4, "-o", "way", "--at", 2, "--frames", 5, cwd=tmp_path)
    way = frames(tmp_path / "way")
    for end, seed in ((0, 3), (4, 4)):
        inrvid("generate", *here, "-o", f"seed{seed}", "--seed", seed, "--start", 2, "--frames", 1, cwd=tmp_path)
        assert np.abs(way[end].astype(int) - frames(tmp_path / f"seed{seed}")[0]).max() <= 1
    inrvid("interpolate", *here, 3, 4, "-o", "table.png", "--rows", 3, "--columns", 4, cwd=tmp_path)
    with Image.open(tmp_path / "table.png") as table:
        assert table.size == (4 * 32, 3 * 32)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["0", "1", "--space", "y"], "--space: should be 'phi', 'z', 'w', 'motion' or 'all', got 'y'"),
        (["0", "1", "--space", "phi", "--how", "spherical"], "--how spherical: phi is not Gaussian"),
        (["0", "none", "--frames", "3"], "none: cannot be read: No such file or directory"),
        (["0", "1", "--rows", "65"], "--rows: should be less than or equal to 64"),
        (["0", "1", "--size", "33"], "multiples of 2"),
    ],
)
def test_refusals(models, tmp_path, options, told):  # noqa: F811
    message = refusal("interpolate", models / "codes", *options, "-o", "a.mp4", "--cpu", cwd=tmp_path)
    assert told in message
    assert len(message.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
