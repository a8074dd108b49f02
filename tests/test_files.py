"""Files are files, and are whole or absent."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from inrvid import files
from inrvid.files import (
    cache_directory,
    checked,
    expanded,
    naming,
    read_bytes,
    read_text,
    refilling,
    remove_leftovers,
    replacing,
    write_text,
)


def pipe(path):
    os.mkfifo(path)


def a_socket(path):
    here = os.getcwd()  # noqa: PTH109
    os.chdir(path.parent)  # names of sockets are short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (pipe, "a pipe, not a file"),
        (a_socket, "a socket, not a file"),
        (lambda path: path.mkdir(), "a folder, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "a device, not a file"),
        (lambda path: path.symlink_to(path), "Too many levels"),
        (lambda path: None, "No such file"),
        (lambda path: path.write_bytes(b"12345678901"), "too large: 11 bytes, where at most 10"),
        (lambda path: path.symlink_to("/proc/self/status"), "too large: 11 bytes"),  # says that it is empty
    ],
)
def test_only_a_file_of_the_expected_size_is_read(tmp_path, make, told):
    path = tmp_path / "x"
    make(path)
    with pytest.raises(OSError, match=re.escape(told)) as caught:
        read_bytes(path, limit=10)
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_what_is_no_name_is_an_error_of_the_system(tmp_path, name):
    with pytest.raises(OSError, match="not the name of a file"):
        checked(tmp_path / name)


def test_text_is_utf8_whatever_the_locale(tmp_path):
    (tmp_path / "x").write_bytes("\ufeffδ".encode())
    command = [
        sys.executable,
        "-c",
        f"from inrvid.files import *; print(ascii(read_text(Path({str(tmp_path)!r}, 'x'))))",
    ]
    told = subprocess.run(command, env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}, capture_output=True, text=True)
    assert told.stdout == "'\\u03b4'\n"
    (tmp_path / "x").write_bytes(b"ab\xff")
    with pytest.raises(OSError, match=r"not UTF-8 text \(byte 2\)"):
        read_text(tmp_path / "x")


def test_leftovers_of_the_killed_go_and_those_of_the_living_stay(tmp_path):
    killed = (
        "import os, pathlib; from inrvid.files import replacing\nwith replacing(pathlib.Path('m.txt')): os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", killed], cwd=tmp_path)
    assert len(list(tmp_path.glob(".m-inrvid-*.txt"))) == 1
    others = [".vscode-settings", ".npm-packages", ".vault-password.txt", ".git-worktree"]
    for name in others:  # not ours: eight letters, but no mark
        (tmp_path / name).mkdir()
    with replacing(tmp_path / "m.txt") as ours:
        ours.write_text("living")
        remove_leftovers(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, ours.name])
    assert (tmp_path / "m.txt").read_text() == "living"


def test_a_folder_is_refilled_or_stays(tmp_path):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "1").write_text("old")
    with contextlib.suppress(ZeroDivisionError), refilling(folder, ["1"]) as new:
        (new / "0").write_text("new")
        1 / 0  # noqa: B018
    assert [path.name for path in tmp_path.rglob("*")] == ["f", "1"]


def fill(path):
    with replacing(path), Path("/dev/full").open("w") as full:
        full.write("x" * 100_000)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_names_the_file(tmp_path):
    with pytest.raises(OSError, match="No space left") as caught:
        fill(tmp_path / "x")
    assert caught.value.filename == str(tmp_path / "x")


class Fixed(OSError):
    """As PyAV's: its file's name cannot be set."""

    filename = property(lambda self: None)


def test_an_error_whose_name_cannot_be_set_names_the_file(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: '.*out\.mp4'"), naming(tmp_path / "out.mp4"):
        raise Fixed(errno.ENOSPC, "No space left on device")


def test_names_that_are_no_text_are_written_as_text(tmp_path):
    write_text(tmp_path / "x.json", '"a\udcffb"')
    assert (tmp_path / "x.json").read_text("utf-8") == '"a\ufffdb"'


@pytest.mark.parametrize(("make", "told"), [(pipe, "a pipe"), (lambda p: p.mkdir(), "a folder")])
def test_what_is_no_file_is_not_replaced_by_one(tmp_path, make, told):
    make(tmp_path / "x.txt")
    with pytest.raises(OSError, match=f"{told}, not a file"):
        write_text(tmp_path / "x.txt", "new")
    assert not (tmp_path / "x.txt").is_file()


def test_a_link_stays_one(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "x.txt").symlink_to("there/x.txt")
    write_text(tmp_path / "x.txt", "new")
    assert (tmp_path / "x.txt").is_symlink()
    assert (tmp_path / "there" / "x.txt").read_text() == "new"


def test_an_error_of_a_temporary_file_is_said_of_its_target():
    with pytest.raises(OSError, match=r"No such file|denied|not permitted") as caught:
        write_text(Path("/proc/x.txt"), "new")
    assert caught.value.filename == "/proc/x.txt"


def test_pointers_of_git_lfs_are_no_files(tmp_path):
    (tmp_path / "x.mp4").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")
    with pytest.raises(OSError, match="git lfs pull"):
        checked(tmp_path / "x.mp4")


def test_no_home(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda uid: (_ for _ in ()).throw(KeyError(uid)))
    assert str(expanded("~/x")) == "~/x"


def test_cache_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path
    monkeypatch.delenv("INRVID_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_directory() == tmp_path / "xdg" / "inrvid"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_directory() == tmp_path / "home" / ".cache" / "inrvid"


def test_cache_directory_of_who_has_no_home(monkeypatch):
    for name in ("INRVID_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: (_ for _ in ()).throw(KeyError(uid)))
    assert cache_directory() == Path(tempfile.gettempdir()) / f"inrvid-{os.getuid()}"


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path):
    path = tmp_path / "x.txt"
    write_text(path, "old")
    for mode in (0o600, 0o664):
        path.chmod(mode)
        write_text(path, "new")
        assert path.stat().st_mode & 0o777 == mode


def test_a_folder_of_another_disk_is_refilled(tmp_path, monkeypatch):
    """A volume, or a link to one: what is moved stays on its disk, and nothing is written beside it."""
    disk, link = tmp_path / "disk", tmp_path / "link"
    disk.mkdir()
    link.symlink_to(disk)
    move = Path.replace

    def within(self, target):
        if disk in self.resolve().parents and disk in Path(target).resolve().parents:
            return move(self, target)
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(target))

    monkeypatch.setattr(Path, "replace", within)
    with refilling(link, ["old"]) as new:
        (new / "0").write_text("new")
    assert [path.name for path in disk.iterdir()] == ["0"]


def test_a_temporary_file_that_another_writer_took_for_a_leftover_is_made_again(tmp_path, monkeypatch):
    taken = []
    lock = files._lock

    def slow(handle):
        if not taken:
            taken.extend(tmp_path.glob(".*"))
            (taken[0].rmdir if taken[0].is_dir() else taken[0].unlink)()
        return lock(handle)

    monkeypatch.setattr(files, "_lock", slow)
    write_text(tmp_path / "x.txt", "new")
    assert (tmp_path / "x.txt").read_text() == "new"
    taken.clear()
    with refilling(tmp_path / "f", []) as new:
        (new / "0").write_text("new")
    assert (tmp_path / "f" / "0").read_text() == "new"
    assert len(taken) == 1
