from __future__ import annotations

import pytest

from benchmarks.compare import compare
from benchmarks.markdown import marks, to_markdown, write_markdown
from benchmarks.results import load, save
from benchmarks.tables import failures, tables
from benchmarks.text import memory, number, seconds
from inrvid import InrvidError

from .made import case, result

FULL = result(
    case("ceilings", "convolution", "4×128×128²", seconds=0.1, rates={"GFLOP/s": 200.0}),
    case("ceilings", "convolution", "4×128×128²", "bf16", seconds=0.05, rates={"GFLOP/s": 400.0}),
    case(rates={"GB/s": 12.3}, ratios={"of_ceiling": 0.61, "over_eager": 2.5}, parts={"eager": 1.25}),
    case(what="broken", seconds=None, error="out of memory"),
    case(
        "generation",
        "digan_ucf",
        "1 × 16 frames 128²",
        seconds=1.5,
        parts={"phi": 0.1, "frames": 1.4},
        rates={"frames/s": 16 / 1.5, "release GFLOP/s": 317.3 / 1.5},
        ratios={"release_of_convolution": 317.3 / 1.5 / 200},
        memory={"peak": 750_000_000},
    ),
    case("training", "digan_ucf", "full step, 4 × 2 frames 128²", seconds=40.0, rates={"clips/s": 0.1}),
)


def test_json_round_trip(tmp_path):
    save(FULL, tmp_path / "a.json")
    assert load(tmp_path / "a.json") == FULL


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no json", '{"schema_version": 2, "cases": []}'])
def test_what_is_no_result_is_refused_in_a_line(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InrvidError, match="not a result") as raised:
        load(tmp_path / "a.json")
    assert "\n" not in str(raised.value)


def test_tables():
    found = {table.title: table for table in tables(FULL)}
    assert found["Ceilings of this device"].columns == ["", "fp32", "bf16"]
    assert found["Ceilings of this device"].rows == [["3×3 convolution, 4×128×128²: GFLOP/s", "200", "400"]]
    assert found["Kernels"].rows == [
        ["bias_act: 2×8×64²", "fp32", "500 ms", "12.3", "0.61", "2.50×"],
        ["bias_act: broken", "fp32", "failed", "", "", ""],
    ]
    (row,) = found["Generation"].rows
    assert row[2:] == ["100 ms", "1.40 s", "93.8", "212", "1.06", "750 MB"]
    assert [r[2] for r in found["Beside the papers"].rows] == ["fp32 1.50 s", "4 clips fp32 5000 s"]
    assert "Evaluation (CPU)" not in found
    assert all(len(row) == len(table.columns) for table in found.values() for row in table.rows)
    assert failures(FULL.cases) == ["kernels/bias_act/broken/fp32: out of memory"]


def test_markdown():
    text = to_markdown(FULL)
    assert text.startswith("A CPU, AVX512, 2 CPU threads; inrvid 0.1.0, torch 2.13.0; 2026-11-21\n")
    assert "| case |  | time | GB/s | of ceiling | over eager |\n| --- | ---: |" in text
    assert "| bias_act: 2×8×64² | fp32 | 500 ms | 12.3 | 0.61 | 2.50× |" in text
    assert text.endswith("Failed:\n\n- kernels/bias_act/broken/fp32: out of memory\n")


def test_markdown_goes_between_the_marks_of_its_device(tmp_path):
    path = tmp_path / "README.md"
    cpu, cuda = (" … ".join(marks(device)) for device in ("cpu", "cuda"))
    path.write_text(f"# Ours\n{cuda}\n{cpu}\nEnd\n".replace(" … ", "\nold\n"))
    write_markdown(FULL, path)
    once = path.read_text()
    assert once.startswith("# Ours\n")
    assert once.endswith("<!-- benchmarks cpu: end -->\nEnd\n")
    assert once.count("old") == 1
    write_markdown(FULL, path)
    assert path.read_text() == once
    path.write_text("<!-- benchmarks cuda: begin -->\n<!-- benchmarks cuda: end -->\n")
    with pytest.raises(InrvidError, match="add them"):
        write_markdown(FULL, path)
    write_markdown(FULL, tmp_path / "new.md")
    assert (tmp_path / "new.md").read_text() == to_markdown(FULL)


def test_compare(tmp_path):
    faster = result(
        case(seconds=0.2),
        case("generation", "digan_ucf", "1 × 16 frames 128²", seconds=0.5, memory={"peak": 250_000_000}),
        case(what="another"),
        name="Another CPU",
    )
    save(FULL, tmp_path / "a.json")
    save(faster, tmp_path / "b.json")
    table = compare(tmp_path / "a.json", tmp_path / "b.json")
    assert table.rows == [
        ["kernels/bias_act/2×8×64²/fp32", "500 ms", "200 ms", "2.50×", ""],
        ["generation/digan_ucf/1 × 16 frames 128²/fp32", "1.50 s", "500 ms", "3.00×", "3.00"],
    ]
    assert "differs: name: A CPU | Another CPU" in table.note
    assert "differs: torch" not in table.note
    assert "4 cases in A alone, 1 in B alone" in table.note


def test_compare_refuses_what_has_nothing_in_common(tmp_path):
    save(result(case(what="one")), tmp_path / "a.json")
    save(result(case(what="other")), tmp_path / "b.json")
    with pytest.raises(InrvidError, match="no case is in both"):
        compare(tmp_path / "a.json", tmp_path / "b.json")


def test_figures_as_text():
    assert [number(x) for x in (0.123, 9.994, 9.996, 99.94, 99.96, 1234.5)] == [
        "0.12", "9.99", "10.0", "99.9", "100", "1234",
    ]  # fmt: skip
    assert [seconds(x) for x in (1.5, 0.99999, 0.0123, 4.2e-6)] == ["1.50 s", "1.00 s", "12.3 ms", "4.20 µs"]
    assert [memory(x) for x in (7.5e8, 2.1e9, 4096)] == ["750 MB", "2.10 GB", "4 kB"]
