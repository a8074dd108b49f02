"""Pages that need nothing but themselves."""

from __future__ import annotations

import json
import math
import os
import re

import numpy as np
import pytest

from inrvid import InrvidError
from inrvid.report.page import write_comparison, write_report
from inrvid.report.plot import axis, chart, number
from inrvid.video_io import write_image, write_video


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", 1.0)


def make_run(folder, scale):
    (folder / "samples").mkdir(parents=True)
    (folder / "recipe.yaml").write_text("name: x  # <script>alert(1)</script>\n")
    lines = [
        {"step": i, "clips": 8 * i, "clips_per_second": 50.0, "loss/G": scale * i, "loss/D": None if i == 2 else 1.0}
        for i in range(1, 6)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text + '{"step": 6, "cl')  # a line in the making
    video = np.random.default_rng(0).integers(0, 255, (4, 16, 16, 3)).astype(np.uint8)
    for name in ("real", "clips-000000000008", "clips-000000000040"):
        write_video(folder / "samples" / f"{name}.mp4", video, fps=8)
        write_image(folder / "samples" / f"{name}.png", video[0])
    scores = {"untrained": {"a/b": 10.0}, "trained": {"a/b": 2.5}}
    (folder / "scores.json").write_text(json.dumps(scores))
    return folder


def test_page_is_self_contained_and_complete(run):
    page = write_report(run).read_text()
    assert (run / "report.html").exists()
    addresses = re.findall(r"(?:src|href)=[\"']([^\"']*)", page)
    assert len(addresses) == 4
    assert all(address.startswith("data:") for address in addresses)
    assert "clips-000000000040" in page
    assert "clips-000000000008" not in page
    assert "<script>" not in page
    assert "Losses" in page
    assert "GPU memory" not in page
    assert ">2.5<" in page
    assert re.search(r"</style>\s*</head>", page)


def test_scores_of_which_neither_is_better_are_shown(run):
    score = {"value": 0.25, "better": "neither"}
    record = {"protocol": "own", "protocol_version": 1, "scores": {"memorisation16": score}}
    (run / "evaluation.json").write_text(json.dumps(record))
    page = write_report(run).read_text()
    assert "<td>memorisation16</td><td>0.25</td>" in page
    assert "neither is better" not in page


def test_a_picture_of_nearest_clips_is_shown_where_there_is_one(run):
    assert "nearest to real" not in write_report(run).read_text()
    write_image(run / "nearest.png", np.zeros((4, 4, 3), np.uint8))
    assert re.search(r"nearest to real ones</h2>\s*<img src=\"data:image/png", write_report(run).read_text())


def test_comparison_has_a_line_a_run(run, tmp_path):
    other = make_run(tmp_path / "other", 2.0)
    page = write_comparison([run, other], tmp_path / "c.html").read_text()
    figure = next(f for f in page.split("<figure>") if f.startswith("<figcaption>loss/G"))
    assert figure.count("<polyline") == 2
    assert str(run) in figure
    assert str(other) in figure


def test_values_whose_names_begin_alike_are_apart(run, tmp_path):
    other = make_run(tmp_path / "other", 2.0)
    log = other / "metrics.jsonl"
    log.write_text(log.read_text().replace('"loss/G"', '"loss/GG"'))
    page = write_comparison([run, other], tmp_path / "c.html").read_text()
    figures = {f[: f.index("</figcaption>")]: f.count("<polyline") for f in page.split("<figure><figcaption>")[1:]}
    assert figures["loss/G"] == figures["loss/GG"] == 1


def test_what_is_no_run(tmp_path):
    with pytest.raises(InrvidError, match="not a run's folder"):
        write_report(tmp_path)


def test_eighteen_lines_are_told_apart_as_in_the_legend():
    svg = chart({str(i): [(0, 1.0), (1, float(i))] for i in range(18)})
    lines, keys = ([*re.findall(rf"<{tag} [^>]*(stroke='.*?)/>", svg)] for tag in ("polyline", "path"))
    assert lines == keys
    assert len(set(lines)) == 18


def test_chart_breaks_where_there_is_no_value():
    svg = chart({"a": [(0, 1.0), (1, 2.0), (2, None), (3, 1.0), (4, 3.0)], "b": [(0, 0.0)]})
    assert svg.count("<polyline") == 2
    assert svg.count("<circle") == 1
    assert "no values" in chart({"a": [(0, None)]})


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 17), (0.0024, 0.0026), (5, 5), (0, 12_000_000)])
def test_axis_holds_its_values(low, high):
    found = axis(low, high)
    assert found.low <= low + 1e-12
    assert found.high >= high - 1e-12
    assert 3 <= len(found.ticks) <= 8
    assert found.high - found.low < 2.5 * max(high - low, 1)


def test_numbers_are_short():
    assert [number(x) for x in (0, 0.0025, 1500, 2_000_000, -0.5)] == ["0", "0.0025", "1.5k", "2M", "-0.5"]


@pytest.mark.parametrize(
    "values", [(0.6931, 0.69316), (1431.2, 1431.9), (1371742.0, 1371749.0), (-1e-7, 2e-7), (3.0, 3.0)]
)
def test_labels_of_an_axis_differ(values):
    told = re.findall(r"text-anchor='end'>([^<]+)<", chart({"a": [(0.0, values[0]), (1e6, values[1])]}))
    assert len(told) >= 3
    assert len({*told}) == len(told)


DAMAGED = [
    '{"step": 1, "clips": 8, "loss/G": 1.0',
    "{}",
    "[1]",
    "null",
    '"text"',
    '{"step": "1", "clips": 8}',
    '{"step": 1, "clips": 1e999}',
    '{"step": 1, "clips": 8, "loss/G": "high"}',
    '{"step": 1, "clips": 8, "loss/G": NaN}',
    '{"step": 1, "clips": ' + "9" * 5000 + "}",
    "[" * 100_000,
    "\x00",
]


def test_damaged_lines_cost_themselves_alone(run):
    whole = (run / "metrics.jsonl").read_text()
    before = write_report(run).read_text()
    (run / "metrics.jsonl").write_text("".join(f"{line}\n" for line in DAMAGED) + whole)
    (run / "scores.json").write_text('{"trained": {"a/b": "low"}}')
    said = []
    page = write_report(run, say=said.append).read_text()
    assert said[0].endswith("metrics.jsonl: 13 damaged lines left out")  # the longest is read in two pieces
    assert "scores.json: trained.a/b: Input should be a valid number" in said[1]
    assert all(line.split(": ", 2)[2] in page.replace("&#39;", "'") for line in said)
    assert page.split("<h2>Curves")[1] == before.split("<h2>Curves")[1]


def test_what_stands_for_a_file_of_the_run_is_not_read(run):
    (run / "scores.json").unlink()
    os.mkfifo(run / "scores.json")
    (run / "samples" / "clips-000000000040.mp4").unlink()
    os.mkfifo(run / "samples" / "clips-000000000040.mp4")
    assert "clips-000000000040" in write_report(run).read_text()
    (run / "metrics.jsonl").unlink()
    os.mkfifo(run / "metrics.jsonl")
    with pytest.raises(InrvidError, match="a pipe, not a file"):
        write_report(run)


def test_names_of_samples_are_text(run):
    for name in ("clips-<img src=x onerror=alert(1)>", "clips-zzz"):
        write_image(run / "samples" / f"{name}.png", np.zeros((4, 4, 3), np.uint8))
    page = write_report(run).read_text()
    assert "onerror" not in page
    assert "clips-000000000040" in page


@pytest.mark.parametrize(
    "values", [[0.0, 0.0], [1e30, 1e30], [-1e30, 1e30], [1e-30, 2e-30], [1e20, 1e20 + 1e5], [1, 1e300]]
)
def test_charts_of_any_values(values):
    assert "<svg" in chart({"a": list(enumerate(values))})


def test_long_curves_keep_their_peaks():
    values = [(i, math.sin(i / 900)) for i in range(50_000)]
    values[31_000] = (31_000, 9.0)
    svg = chart({"a": values})
    points = re.search("points='([^']*)'", svg)[1].split()
    assert len(points) < 1000
    assert min(float(point.split(",")[1]) for point in points) < 25  # the peak, near the top
    short = chart({"a": values[:1000]})
    assert len(re.search("points='([^']*)'", short)[1].split()) == 1000
