"""Every use of a model on every combination of a generator and a motion: it works, or is refused in one clear line."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from inrvid.cli import app, run

from ..applications.making import model
from ..small import combinations

USES = {
    "generate": ["generate", "MODEL", "-o", "OUT.mp4", "--frames", "4", "--start", "-3"],
    "larger": ["generate", "MODEL", "-o", "OUT.gif", "--frames", "2", "--size", "64x96"],
    "wider": ["generate", "MODEL", "-o", "OUT", "--frames", "2", "--zoom-out", "1.5"],
    "contents and motions": ["generate", "MODEL", "-o", "OUT.mp4", "--frames", "2", "--content-motion-grid", "2x2"],
    "interpolate": ["interpolate", "MODEL", "0", "1", "-o", "OUT.png", "--rows", "2", "--columns", "2"],
    "interpolate motion": ["interpolate", "MODEL", "0", "1", "--space", "motion", "-o", "OUT.mp4", "--frames", "2"],
    "project": ["project", "MODEL", "FRAMES", "-o", "OUT.safetensors", "--frames", "1-2", "--steps", "2"],
    "predict": ["predict", "MODEL", "FRAMES", "-o", "OUT", "--given", "1-2", "--predict", "3", "--steps", "2"],
    "edit": ["edit", "find", "MODEL", "-o", "OUT.safetensors", "--count", "2"],
    "analyze": ["analyze", "MODEL", "-o", "OUT", "--videos", "2", "--frames", "8"],
}
CHEAP = {"project": ["--distance", "pixels"], "predict": ["--distance", "pixels"]}
REFUSED = {("stylegan2", "larger"), ("stylegan2", "wider")}
"""By the generator alone: what draws its own grid draws no other."""


@pytest.fixture(scope="module", params=combinations(), ids="-".join)
def saved(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model(*request.param).save_pretrained(folder / "model")
    (folder / "frames").mkdir()
    for i, shade in enumerate(range(40, 220, 40)):
        frame = np.full((32, 32, 3), shade, np.uint8)
        frame[8 : 16 + i] = 255 - shade
        Image.fromarray(frame).save(folder / "frames" / f"{i:06d}.png")
    return request.param, folder


@pytest.mark.parametrize("use", USES)
def test_it_works_or_says_why_not(saved, use, tmp_path, monkeypatch, capsys):
    (generator, _), folder = saved
    places = {"MODEL": str(folder / "model"), "FRAMES": str(folder / "frames")}
    arguments = [places.get(word, word.replace("OUT", str(tmp_path / "out"))) for word in USES[use]]
    monkeypatch.setattr(sys, "argv", ["inrvid", *arguments, *CHEAP.get(use, ()), "--cpu"])
    with pytest.raises(SystemExit) as end:
        run(app)
    told = capsys.readouterr().err.strip()
    if (generator, use) in REFUSED:
        assert end.value.code == 2
        assert len(told.splitlines()) == 1
        assert "draws only the whole frame, at 32x32" in told
        assert list(tmp_path.iterdir()) == []  # nothing is half written
    else:
        assert not end.value.code, told
        assert [path for path in tmp_path.iterdir() if path.name.startswith("out")]
