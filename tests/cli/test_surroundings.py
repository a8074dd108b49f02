"""The command line where something around it is broken, missing or odd: a line, and exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from inrvid import InrvidError, build_generator, cli
from inrvid.cli import train
from inrvid.cli.doctor import examine
from inrvid.text import printable

from ..small import small_generator
from .test_cli import inrvid

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def run(*arguments, cwd, **environment):
    command = [sys.executable, "-m", "inrvid", *arguments]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)


def broken(folder, name):
    """A folder in which a package fails to import."""
    (folder / "broken").mkdir()
    (folder / "broken" / f"{name}.py").write_text("raise ImportError('libavcodec.so.62: cannot open shared object')")
    return {"PYTHONPATH": str(folder / "broken")}


def test_a_broken_package_is_named_with_what_to_do(tmp_path):
    done = run("data", "info", ".", cwd=tmp_path, **broken(tmp_path, "av"))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "a package is missing or broken: libavcodec.so.62: cannot open shared object",
        "  inrvid doctor says which, and how to fix it",
    ]


def test_doctor_never_raises(tmp_path, monkeypatch):
    done = run("doctor", cwd=tmp_path, **broken(tmp_path, "av"))
    assert done.returncode == 0
    assert "ImportError: libavcodec.so.62" in done.stdout
    assert "cores" in done.stdout
    monkeypatch.setattr("inrvid.cli.doctor.PACKAGES", ("torch", "no_such_package"))
    assert examine()["versions"]["no_such_package"] == "not installed (needed: pip install no_such_package)"


def test_what_the_terminal_cannot_show_is_replaced(tmp_path):
    done = run("recipe", "list", cwd=tmp_path, **ASCII)
    assert done.returncode == 0, done.stderr
    assert "128?128" in done.stdout


def test_a_recipe_is_utf8_in_every_locale(tmp_path):
    (tmp_path / "δ.yaml").write_bytes("extends: quickstart\ndescription: über ½\n".encode())
    done = run("recipe", "show", "δ.yaml", cwd=tmp_path, **ASCII)
    assert done.returncode == 0, done.stderr
    assert "description: " in done.stdout


def test_names_do_not_steer_the_terminal(tmp_path):
    assert printable("a\x1b[2Jb\nc\rd\udcff") == "a\N{REPLACEMENT CHARACTER}[2Jb\nc\ufffdd\ufffd"
    done = run("recipe", "show", "\x1b[2J.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_out_of_memory_is_no_bug(capsys, error):
    def fail():
        raise error

    with pytest.raises(SystemExit) as end:
        cli.run(fail)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("out of memory: ")


def test_other_errors_of_the_run_time_are():
    def fail():
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        cli.run(fail)


@pytest.mark.parametrize("width", [10**6, 2**31 - 1])
def test_weights_beyond_memory_are_refused_before_they_are_allocated(width):
    with pytest.raises(InrvidError, match="weights would need"):
        build_generator({**small_generator("inr_gan", "global"), "z_dim": width, "w_dim": width})


def test_a_training_of_huge_clips_is_refused(tmp_path):
    sizes = ("generator.resolution", "generator.channel_base", "discriminator.channel_base")
    settings = [part for key in sizes for part in ("--set", f"{key}=16384")]
    done = run("train", "quickstart", "--cpu", "--run-dir", "r", *settings, cwd=tmp_path)
    assert done.returncode == 2
    assert "generator.resolution, generator.clip_length: would need 96.0 GiB at least" in done.stderr


@pytest.mark.parametrize(("visible", "told"), [(1, "1 GPU is visible: give --processes 1"), (2, "2 GPUs are visible")])
def test_more_processes_than_gpus_are_refused(visible, told, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: visible)
    done = inrvid("train", "quickstart", "--processes", 3, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert not list(tmp_path.iterdir())


def test_gpus_that_cannot_talk_to_each_other_are_not_several(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: False)
    assert train._devices(cpu=False) == 1
    done = inrvid("train", "quickstart", "--processes", 2, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--processes 2: this PyTorch has no NCCL" in done.stderr
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: True)
    assert train._devices(cpu=False) == 2
