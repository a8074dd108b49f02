"""The command line as a user meets it."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import subprocess
import sys
import unittest.mock
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from inrvid import InrvidError, build_generator
from inrvid.cli import main
from inrvid.video_io import write_video

from ..small import small_generator


@contextlib.contextmanager
def working_directory(path):
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


@dataclasses.dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


def inrvid(*arguments, cwd, check=True, main=main):
    """Run the console script's entry point (or another's) in `cwd`, in this process (torch is imported once)."""
    out, err = io.StringIO(), io.StringIO()
    with (
        working_directory(cwd),
        unittest.mock.patch.object(sys, "argv", ["inrvid", *map(str, arguments)]),
        unittest.mock.patch.dict(os.environ, COLUMNS="120"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as exit_:
            code = exit_.code or 0
    if check:
        assert code == 0, err.getvalue()
    return Result(code, out.getvalue(), err.getvalue())


def refusal(*arguments, cwd, main=main):
    """The message of a command that the user can mend: exit code 2, one message, no traceback."""
    result = inrvid(*arguments, cwd=cwd, check=False, main=main)
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    build_generator(small_generator("inr_gan", "global", label_dim=3), seed=1).save_pretrained(folder)
    return folder


def frames(folder):
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["generate"], "inrvid generate: missing argument 'model'\n  inrvid generate -h shows what it takes\n"),
        (["generate", "x", "--frmes", "3"], "inrvid generate: no such option: --frmes"),
        (["generate", "x", "-o", "y.mp4", "--frames", "0"], "inrvid generate: invalid value for '--frames'"),
        (["hub", "psh"], "inrvid hub: no such command 'psh'"),
        (["--nope"], "inrvid: no such option: --nope\n  inrvid -h shows what it takes\n"),
    ],
)
def test_wrong_arguments_are_told_as_other_errors_are(arguments, told, tmp_path):
    result = inrvid(*arguments, cwd=tmp_path, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(told)
    assert "╭" not in result.stderr


def test_help_is_shown_where_nothing_is_asked_for(tmp_path):
    result = inrvid("hub", cwd=tmp_path, check=False)
    assert (result.returncode, result.stderr) == (2, "")
    assert "Publish models on the Hub" in result.stdout


def test_generate_is_reproducible_and_videos_are_independent(model, tmp_path):
    inrvid("generate", model, "-o", tmp_path / "a.mp4", "--seed", 3, cwd=tmp_path)
    inrvid("generate", model, "-o", tmp_path / "b.mp4", "--seed", 3, cwd=tmp_path)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    inrvid("generate", model, "-o", tmp_path / "four", "--videos", 4, "--seed", 3, cwd=tmp_path)
    for i in range(4):
        inrvid("generate", model, "-o", tmp_path / f"single{i}", "--seed", 3 + i, cwd=tmp_path)
        assert np.array_equal(frames(tmp_path / f"four_{i:03d}"), frames(tmp_path / f"single{i}"))
    assert not np.array_equal(frames(tmp_path / "single0"), frames(tmp_path / "single1"))


def test_generate_options(model, tmp_path):
    inrvid("generate", model, "-o", "long", "--frames", 12, "--label", 1, cwd=tmp_path)
    whole = frames(tmp_path / "long")
    assert whole.shape == (12, 32, 32, 3)
    inrvid("generate", model, "-o", "late", "--frames", 4, "--start", 8, "--label", 1, cwd=tmp_path)
    assert np.array_equal(frames(tmp_path / "late"), whole[8:])
    inrvid("generate", model, "-o", "slow", "--seconds", 0.16, "--fps", 50, "--label", 1, cwd=tmp_path)
    slow = frames(tmp_path / "slow")
    assert len(slow) == 8
    assert np.array_equal(slow[::2], whole[:4])
    inrvid("generate", model, "-o", "double", "--fps", 50, "--label", 1, cwd=tmp_path)
    assert len(frames(tmp_path / "double")) == 2 * 8  # as long as a clip, whatever the rate
    inrvid("generate", model, "-o", "other", "--frames", 12, "--label", 2, cwd=tmp_path)
    assert not np.array_equal(frames(tmp_path / "other"), whole)
    inrvid("generate", model, "-o", "large", "--size", "48x64", "--frames", 1, cwd=tmp_path)
    assert frames(tmp_path / "large").shape == (1, 48, 64, 3)
    inrvid("generate", model, "-o", "grid.gif", "--videos", 3, "--grid", "--truncation", 0.5, cwd=tmp_path)
    with Image.open(tmp_path / "grid.gif") as gif:
        assert gif.size == (64, 64)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-o", "a.avi"], "use .mp4, .webm, .gif, .npz, or a folder"),
        (["-o", "."], ".: give the name of a file, such as out.mp4, or of a new folder"),
        (["-o", "/dev/full"], "a file or device, not a folder"),
        (["-o", "a.mp4", "--size", "33"], "multiples of 2"),
        (["-o", "a.mp4", "--size", "big"], "expected a side in pixels"),
        (["-o", "a.mp4", "--label", "7"], "expected one class of 0 … 2"),
        (["-o", "a.mp4", "--frames", "3", "--seconds", "1"], "give one of them"),
        (["-o", "a.mp4", "--seconds", "0"], "--seconds: should be greater than 0, got 0.0"),
        (["-o", "a.mp4", "--fps", "0"], "--fps: should be greater than or equal to 0.01, got 0.0"),
        (["-o", "a.mp4", "--truncation", "nan"], "--truncation: should be a finite number, got nan"),
        (["-o", "a.mp4", "--seconds", "1e300"], "--seconds: should be less than or equal to 1000000"),
        (["-o", "a.mp4", "--seconds", "1e6"], "25000000 frames: at most 1000000"),
        (["-o", "a.mp4", "--size", "4x100000"], "at most 16384"),
        (["-o", "a.mp4", "--size", "9" * 5000], "at most 16384"),
        (["-o", "a.gif", "--fps", "0.0001"], "--fps: should be greater than or equal to 0.01"),
        (["-o", "a.mp4", "--fps", "9" * 20], "--fps: should be less than or equal to 10000"),
        (["-o", "a.mp4", "--seed", "9" * 20], "--seed: should be less than"),
    ],
)
def test_generate_refuses(model, tmp_path, arguments, expected):
    assert expected in refusal("generate", model, *arguments, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_missing_model(tmp_path):
    assert "no such folder" in refusal("generate", "nothing", "-o", "a.mp4", cwd=tmp_path)


def test_wrong_recipe_fails_before_anything_is_loaded_or_written(tmp_path):
    (tmp_path / "bad.yaml").write_text("extends: quickstart\ngenerator:\n  motion:\n    typ: globl\n")
    message = refusal("train", "bad.yaml", cwd=tmp_path)
    assert message.startswith("bad.yaml:4  generator.motion.typ: unknown key. Did you mean 'type'?")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.yaml"]


def test_missing_data(tmp_path):
    assert "--data" in refusal("train", "digan_ucf", "--cpu", cwd=tmp_path)
    assert "there is no such" in refusal("train", "digan_ucf", "--data", "nowhere", cwd=tmp_path)
    (tmp_path / "empty").mkdir()
    assert "empty" in refusal("train", "digan_ucf", "--data", "empty", cwd=tmp_path)
    (tmp_path / "own.yaml").write_text("extends: quickstart\ndata: {type: videos, path: nowhere}\n")
    assert "nowhere: there is no such" in refusal("train", "own.yaml", "--run-dir", "runs/1", cwd=tmp_path)
    for where in ([], ["--run-dir", "runs/1"]):
        told = refusal("train", "quickstart", *where, "--resume", "nowhere", cwd=tmp_path)
        assert "--resume nowhere: neither a checkpoint" in told
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["empty", "own.yaml"]


def test_keys_that_only_the_given_videos_have_may_be_set(tmp_path):
    """quickstart's own data are drawn, and have no `cut`."""
    (tmp_path / "mine").mkdir()
    write_video(tmp_path / "mine/a.mp4", np.zeros((20, 32, 32, 3), np.uint8), fps=25)
    keys = ("--set", "eval.data.cut=clips", "--set", "data.cut=clips")
    out = inrvid("train", "quickstart", "--data", "mine", *keys, "--dry-run", cwd=tmp_path).stdout
    recipe = yaml.safe_load(out)
    assert recipe["data"]["type"] == "videos"
    assert recipe["data"]["cut"] == recipe["eval"]["data"]["cut"] == "clips"
    told = refusal("train", "quickstart", "--data", "mine", "--set", "data.cutt=clips", cwd=tmp_path)
    assert "data.cutt: unknown key. Did you mean 'cut'?" in told


def test_dry_run_prints_the_resolved_recipe(tmp_path):
    out = inrvid("train", "quickstart", "--set", "train.kclips=3", "--dry-run", cwd=tmp_path).stdout
    assert "kclips: 3.0" in out
    (tmp_path / "saved.yaml").write_text(out)
    assert inrvid("recipe", "validate", "saved.yaml", cwd=tmp_path).stdout == "saved.yaml: ok\n"


def test_dry_run_shows_what_the_data_decide(tmp_path):
    """And refuses what the training would."""
    for name in "ab":
        write_video(tmp_path / "mine" / name / "1.mp4", np.zeros((20, 32, 32, 3), np.uint8), fps=24)
    asked = ("train", "quickstart", "--data", "mine", "--dry-run", "--set", "data.labels=true")
    recipe = yaml.safe_load(inrvid(*asked, cwd=tmp_path).stdout)
    assert (recipe["generator"]["fps"], recipe["generator"]["label_dim"]) == (24, 2)
    assert recipe["discriminator"]["label_dim"] == 2
    kept = yaml.safe_load(inrvid(*asked, "--set", "generator.fps=30", cwd=tmp_path).stdout)
    assert kept["generator"]["fps"] == 30
    assert "the data has 2 classes" in refusal(*asked, "--set", "generator.label_dim=3", cwd=tmp_path)
    short = refusal(*asked, "--set", "generator.clip_length=30", cwd=tmp_path)
    assert "20 frames" in short
    assert "nowhere: there is no such" in refusal(*asked, "--data", "nowhere", cwd=tmp_path)
    (tmp_path / "own.yaml").write_text("extends: quickstart\ndata: {type: videos, path: nowhere}\n")
    assert "nowhere: there is no such" in refusal("train", "own.yaml", "--dry-run", cwd=tmp_path)


def test_dry_run_without_data_says_what_is_not_known(tmp_path):
    done = inrvid("train", "digan_ucf", "--dry-run", cwd=tmp_path)
    assert yaml.safe_load(done.stdout)["name"] == "digan_ucf"
    assert done.stderr.splitlines()[-1].startswith("note: no data are named: what they decide (rate, classes)")
    drawn = ("--set", "data.frames=8", "--set", "generator.clip_length=16")
    assert "hold no clip of 16" in refusal("train", "quickstart", "--dry-run", *drawn, cwd=tmp_path)


def test_recipe_commands(tmp_path):
    listed = json.loads(inrvid("recipe", "list", "--json", cwd=tmp_path).stdout)
    assert listed["stylegan_v_ffs_k2"]["paper"]["table"] == 3
    assert listed["quickstart"] == {"description": "DIGAN, 16 frames of 32×32, suns over hills", "paper": None}
    shown = inrvid("recipe", "list", cwd=tmp_path).stdout
    assert "quickstart" in shown
    assert "StyleGAN-V, table 3, k = 2" in " ".join(shown.split())
    shown = json.loads(inrvid("recipe", "show", "quickstart", "--json", cwd=tmp_path).stdout)
    assert shown["discriminator"]["resolution"] == 32
    assert json.loads(inrvid("recipe", "schema", cwd=tmp_path).stdout)["properties"]["generator"]["anyOf"]
    assert "no recipe 'quickstrat'" in refusal("recipe", "show", "quickstrat", cwd=tmp_path)
    assert "unknown key" in refusal("recipe", "validate", "quickstart", "--set", "sed=1", cwd=tmp_path)


def test_a_recipe_is_listed_in_a_line_cut_to_a_terminal_s_width_alone(tmp_path, monkeypatch):
    names = [*json.loads(inrvid("recipe", "list", "--json", cwd=tmp_path).stdout)]
    piped = inrvid("recipe", "list", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in piped] == names
    assert any(len(line) > 120 for line in piped)
    assert not any("…" in line for line in piped)
    monkeypatch.setenv("FORCE_COLOR", "1")  # which counts as a terminal; of 120 columns
    monkeypatch.setenv("TERM", "xterm")
    shown = inrvid("recipe", "list", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in shown] == names
    assert max(map(len, shown)) == 120
    cut = [(line, whole) for line, whole in zip(shown, piped, strict=True) if line != whole]
    assert cut
    assert all("…" in line for line, _ in cut)


def test_plugins_and_doctor(tmp_path):
    listed = json.loads(inrvid("plugins", "list", "--json", cwd=tmp_path).stdout)
    assert {entry["name"] for entry in listed["motions"]} >= {"global", "static"}
    assert "global" in inrvid("plugins", "list", "motions", cwd=tmp_path).stdout
    assert "Did you mean 'motions'" in refusal("plugins", "list", "motion", cwd=tmp_path)
    report = json.loads(inrvid("doctor", "--json", cwd=tmp_path).stdout)
    assert report["codecs"]["libx264"] == report["codecs"]["h264"] == "yes"
    assert "torch" in inrvid("doctor", cwd=tmp_path).stdout


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(InrvidError):
        inrvid("generate", "nothing", "-o", "a.mp4", "--debug", cwd=tmp_path)


def run_and_tell(command, cwd):
    """(exit code, whether torch was imported) of the console script itself."""
    code = "import sys; from inrvid.cli import main\ntry: main()\nfinally: print('\\n', 'torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, cwd=cwd)
    return result.returncode, result.stdout.split()[-1] == "True"


@pytest.mark.parametrize(
    "command", [["--help"], ["train", "--help"], ["recipe", "list"], ["runs", "here"], ["doctor", "-h"]]
)
def test_what_touches_no_component_imports_no_torch(command, tmp_path):
    (tmp_path / "here").mkdir()
    assert not run_and_tell(command, tmp_path)[1]


def test_a_wrong_recipe_is_refused_before_the_training_is_loaded(tmp_path):
    (tmp_path / "bad.yaml").write_text("extends: quickstart\ngenerator:\n  motion:\n    typ: globl\n")
    code = "import sys; from inrvid.cli import main\ntry: main()\nfinally: print('accelerate' in sys.modules)"
    command = [sys.executable, "-c", code, "train", "bad.yaml"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "False\n")


def test_import_is_light(tmp_path):
    """`import inrvid` loads neither torch nor a video library nor a plugin."""
    heavy = ("torch", "av", "accelerate", "inrvid.generators.inr_gan")
    code = f"import inrvid, sys; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert result.stdout.strip() == "[]"
