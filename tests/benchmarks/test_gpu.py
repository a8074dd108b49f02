"""`python -m benchmarks.gpu --smoke`: the programme for a borrowed GPU runs, from a checkout alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.gpu.__main__ import main
from benchmarks.gpu.record import Record
from inrvid import InrvidError

ROOT = Path(__file__).parents[2]


def smoke(*arguments):
    command = [sys.executable, "-m", "benchmarks.gpu", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("stage", "rows", "options"),
    [
        ("truth", ["tests.device.test_graphs"], ["--only", "graphs"]),
        ("kernels", ["bias_act/2×8×64²/fp32", "fmm_weight/4×96→32/fp32"], ["--only", "_act/", "--only", "fmm_weight/"]),
        ("systems", ["step/quickstart/fp32/4", "profile/quickstart/fp32"], ["--only", "step/", "--only", "profile/"]),
    ],
)
def test_a_stage_leaves_its_rows_and_goes_on_from_them(stage, rows, options, tmp_path):
    done = smoke(stage, "--smoke", "--out", str(tmp_path), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / f"{stage}.json").read_text())
    assert set(rows) <= set(found["rows"])
    assert {"stage", "date", "device", "versions"} <= set(found)
    assert all(row in done.stdout for row in rows)
    if stage == "systems":
        again = smoke(stage, "--smoke", "--out", str(tmp_path), *options)
        assert "as before" in again.stdout
        assert json.loads((tmp_path / f"{stage}.json").read_text()) == found


def test_models_are_trained_and_gone_on_with(tmp_path):
    done = smoke("train", "--smoke", "--minutes", "2", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models/quickstart/model/model.safetensors").exists()
    assert "exit 0" in done.stdout


def test_a_record_goes_on_and_stays(tmp_path):
    """Errors until they are measured again; and a file of another device's, or of nobody's, is not written over."""

    def fails():
        raise RuntimeError("no such kernel")

    def record():
        return Record("kernels", tmp_path, torch.device("cpu"), minutes=1.0)

    first = record()
    first.add("a", lambda: {"µs": 1.0})
    first.add("b", fails)
    second = record()
    assert second.failed == ["b"]
    second.add("a", fails)  # is known
    assert second.rows["a"]["µs"] == 1.0
    second.add("b", lambda: {"µs": 2.0})
    assert record().failed == []
    text = second.path.read_text()
    changed = json.loads(text)
    changed["device"]["name"] = "another"
    for other in (json.dumps(changed), "[]", "{"):
        second.path.write_text(other)
        with pytest.raises(InrvidError, match="give another --out"):
            record()
        assert second.path.read_text() == other
    changed = json.loads(text)
    changed["device"]["threads"] = "3"
    second.path.write_text(json.dumps(changed))
    assert {*record().rows} == {"a", "b"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--minutes", "0"], "--minutes 0: more than 0 are needed"),
        (["--out", __file__], "File exists"),
        (["--only", "nonsense"], "kernels: no row's name holds nonsense"),
    ],
)
def test_what_cannot_be_measured_is_said(options, told, tmp_path, monkeypatch, capsys):
    command = ["gpu", "kernels", "--smoke", "--out", str(tmp_path), *options]
    monkeypatch.setattr(sys, "argv", command)
    try:
        code = main()
    except SystemExit as left:
        code = left.code
    assert code in (1, 2)
    assert told in capsys.readouterr().err


def test_what_cannot_be_is_said(tmp_path):
    done = smoke("trth", "--smoke", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "no stage trth: there are truth, kernels, systems" in done.stderr
