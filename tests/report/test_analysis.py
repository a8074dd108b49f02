"""The page of analyses: everything is in it, and beside it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from inrvid import InrvidError
from inrvid.applications.analyze.finding import Finding
from inrvid.report.analysis import write_analysis
from inrvid.report.plot import chart
from inrvid.report.strips import GAP, write_strips


def finding(shade=7):
    picture = np.full((20, 30, 3), shade, np.uint8)
    return Finding(
        "A <title>", "About it.", {"c": {"l": [(-2.0, 1.0), (3.0, 2.0)]}}, {"x–t, <b>": picture}, {"n": [1, 2]}
    )


def test_a_page_its_numbers_and_its_pictures(tmp_path):
    page = write_analysis(tmp_path / "a", "models/<m>", {"slices": finding()}, ["cycles: why not"])
    text = page.read_text()
    assert "http" not in text.replace("http-equiv", "")
    assert "models/&lt;m&gt;" in text
    assert "A &lt;title&gt;" in text
    assert "cycles: why not" in text
    assert text.count("role='img'") == 1
    assert text.count("data:image/png;base64,") == 1
    data = json.loads((tmp_path / "a" / "analysis.json").read_text())
    assert data["slices"]["numbers"] == {"n": [1, 2]}
    assert data["slices"]["charts"] == {"c": {"l": [[-2.0, 1.0], [3.0, 2.0]]}}
    with Image.open(tmp_path / "a" / "slices_x_t_b_.png") as picture:
        assert picture.size == (30 * 12, 20 * 12)  # enlarged to 256 pixels, nearly
        assert picture.getpixel((5, 5)) == (7, 7, 7)


def test_it_is_written_whole_or_not_at_all(tmp_path):
    write_analysis(tmp_path, "m", {"slices": finding()})
    before = (tmp_path / "index.html").read_bytes()
    with pytest.raises(AttributeError):
        write_analysis(tmp_path, "m", {"slices": finding(9), "repeats": None})
    assert (tmp_path / "index.html").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["analysis.json", "index.html", "slices_x_t_b_.png"]


def test_an_earlier_analysis_is_replaced_and_nothing_else(tmp_path):
    write_analysis(tmp_path, "m", {"slices": finding()})
    (tmp_path / "mine.png").touch()
    write_analysis(tmp_path, "m", {"motion": finding()})
    names = ["analysis.json", "index.html", "mine.png", "motion_x_t_b_.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    (tmp_path / "analysis.json").unlink()
    with pytest.raises(InrvidError, match=r"index.html: of no analysis of this library: choose another -o"):
        write_analysis(tmp_path, "m", {"slices": finding()})
    assert sorted(path.name for path in tmp_path.iterdir()) == [name for name in names if name != "analysis.json"]


def test_a_path_goes_left_of_zero():
    drawn = chart({"a": [(-4.0, 0.0), (4.0, 1.0)]})
    points = drawn.split("points='")[1].split("'")[0].split()
    xs = [float(point.split(",")[0]) for point in points]
    assert min(xs) >= 52
    assert ">-4<" in drawn


def test_frames_stand_under_their_strengths(tmp_path):
    shades = np.arange(1, 7, dtype=np.uint8).reshape(2, 3, 1, 1, 1) * 20
    write_strips(tmp_path / "s.png", np.broadcast_to(shades, (2, 3, 32, 32, 3)), ["one", "two"], ["-1", "0", "+1"])
    picture = np.asarray(Image.open(tmp_path / "s.png"))
    cells = picture[-GAP - 256 : -GAP, -GAP - 3 * 128 : -GAP].reshape(2, 128, 3, 128, 3)
    assert (cells == shades[:, None, :, 0]).all()
    assert (picture[: -GAP - 256] < 128).any()  # strengths above
    assert (picture[-GAP - 256 : -GAP, : -GAP - 3 * 128] < 128).any()  # names on the left
