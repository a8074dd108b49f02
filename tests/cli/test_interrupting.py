"""Ctrl-C outside a training's steps: a word on what is left, and the code of a signal."""

from __future__ import annotations

import sys

import pytest

from inrvid.cli import app, run, train


def ended(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["inrvid", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        run(app)
    return end.value.code, capsys.readouterr()


def interrupted(*arguments, **keys):
    raise KeyboardInterrupt


def test_a_command(monkeypatch, capsys):
    monkeypatch.setattr("inrvid.packaged_files.PackagedFiles.claims", interrupted)
    code, told = ended(monkeypatch, capsys, "recipe", "list")
    assert (code, told.out) == (130, "")
    assert told.err == "interrupted: no unfinished file is left; what one was to replace is unchanged\n"


def test_a_training_that_has_not_begun(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("inrvid.training.trainer.Trainer.__init__", interrupted)
    code, told = ended(monkeypatch, capsys, "train", "quickstart", "--cpu")
    assert code == 130
    assert told.err.endswith("interrupted before anything was saved\n")
    assert list(tmp_path.iterdir()) == []


def test_what_a_training_leaves(tmp_path):
    folder = tmp_path / "my run"
    assert train._left(folder, 8) == "interrupted before anything was saved"
    (folder / "checkpoints" / "clips-000000000004").mkdir(parents=True)
    again = f"inrvid train '{folder}/recipe.yaml' --run-dir '{folder}'"
    assert train._left(folder, 0) == f"interrupted; all that was trained is saved; to continue: {again}"
    assert train._left(folder, 8) == f"interrupted at 8 clips; to continue from 4, the last saved: {again}"


@pytest.mark.parametrize("given", [("--data", "a", "data.path=b"), ("--init", "a", "train.init=b")])
def test_what_is_said_twice_is_refused(monkeypatch, capsys, given):
    option, value, setting = given
    code, told = ended(monkeypatch, capsys, "train", "quickstart", option, value, "--set", setting, "--dry-run")
    assert code == 2
    assert told.err == f"{option} and --set {setting[:-2]} are two ways to say the same: give one of them\n"
