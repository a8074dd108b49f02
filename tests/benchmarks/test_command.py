"""`python -m benchmarks` as a user meets it. Times are reported, never asserted."""

from __future__ import annotations

import functools
import json

import pytest

from benchmarks.__main__ import main
from benchmarks.results import load, save

from ..cli import test_cli
from .made import case, result

bench, refusal = (functools.partial(function, main=main) for function in (test_cli.inrvid, test_cli.refusal))


@pytest.fixture
def folder(tmp_path):
    save(result(case(), case("generation", "digan_ucf", "1 × 16 frames 128²")), tmp_path / "a.json")
    save(result(case(seconds=0.25)), tmp_path / "b.json")
    return tmp_path


def test_measures_writes_and_shows(tmp_path):
    done = bench(
        "generation", "--quick", "--cpu", "--rounds", 1, "-o", "out/r.json", "--markdown", "r.md", cwd=tmp_path
    )
    assert "Ceilings of this device" in done.stdout
    assert "quickstart: 1 × 16 frames 32²" in done.stdout
    assert "generation/quickstart/1 × 16 frames 32²/fp32" in done.stderr
    found = load(tmp_path / "out/r.json")
    assert [c.group for c in found.cases] == ["ceilings"] * 3 + ["generation"]
    assert found.options["quick"] is True
    assert "| quickstart: 1 × 16 frames 32² |" in (tmp_path / "r.md").read_text()


def test_shows_a_result(folder):
    assert "digan_ucf: 1 × 16 frames 128²" in bench("--from", "a.json", cwd=folder).stdout
    text = bench("--from", "a.json", "--json", cwd=folder).stdout
    assert [c["subject"] for c in json.loads(text)["cases"]] == ["bias_act", "digan_ucf"]
    bench("--from", "a.json", "--markdown", "a.md", cwd=folder)
    assert "Beside the papers" in (folder / "a.md").read_text()


def test_a_failed_case_is_told_and_exits_with_1(folder):
    save(result(case(seconds=None, error="out of memory")), folder / "c.json")
    done = bench("--from", "c.json", cwd=folder, check=False)
    assert done.returncode == 1
    assert done.stderr == "failed: kernels/bias_act/2×8×64²/fp32: out of memory\n"


def test_compare(folder):
    shown = bench("--compare", "a.json", "b.json", cwd=folder).stdout
    assert "2.00×" in shown
    assert "1 cases in A alone, 0 in B alone" in shown


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["generatio"], "no benchmarks named 'generatio'"),
        (["--precision", "fp8"], "--precision fp8"),
        (["--recipe", "nothing"], "no recipe 'nothing'"),
        (["--compare", "a.json", "no.json"], "no.json: No such file"),
        (["--compare", "a.json", "bad.json"], "bad.json: not a result"),
        (["--from", "bad.json"], "bad.json: not a result"),
        (["-o", "."], "cannot be written"),
        (["--markdown", "a.json/x.md"], "cannot be written"),
    ],
)
def test_refuses(folder, arguments, expected):
    (folder / "bad.json").write_text("[]")
    message = refusal(*arguments, cwd=folder)
    assert expected in message
    assert len(message.splitlines()) <= 2
