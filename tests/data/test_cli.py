"""`inrvid data`."""

from __future__ import annotations

import json
import os

import pytest
from typer.testing import CliRunner

from inrvid.cli import data as command
from inrvid.data.open import open_dataset
from inrvid.errors import DataError, InrvidError

from .making import write_video


@pytest.fixture
def root(tmp_path):
    for name in ("a/1.mp4", "b/2.mp4"):
        write_video(tmp_path / "videos" / name, 20)
    return tmp_path / "videos"


def run(*arguments) -> str:
    result = CliRunner().invoke(command.app, [str(argument) for argument in arguments])
    if isinstance(result.exception, InrvidError):  # `inrvid` prints these and exits with 2
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_info(root):
    (root / "bad.mp4").touch()
    output = run("info", root)
    assert output.startswith(f"videos: {root}\n2 videos, 40 frames at 25 fps\n")
    assert "bad.mp4: empty file" in output


def test_a_frame_rate_that_varies_is_told(root, tmp_path):
    """As phones record: slow in the dark. Milliseconds that are rounded, and a frame that was dropped, are nothing."""
    slow = [33 * i if i < 10 else 330 + 200 * (i - 10) for i in range(20)]
    write_video(root / "phone.mkv", 20, times=slow)
    write_video(root / "rounded.mkv", 20, times=[i * 1000 // 30 for i in range(20)])
    write_video(root / "dropped.mkv", 30, times=[40 * (i + (i > 10)) for i in range(30)])
    write_video(root / "animated.gif", 30, codec="gif", fps=30, pixels="rgb8")
    told = "frame rate varies: 1 video (phone.mkv): frames are taken as evenly spaced; "
    assert told in run("info", root)
    assert told in run("convert", root, tmp_path / "out.zip", "--resolution", 16)
    assert "rate varies" not in run("info", root, "--fps", 10)


def test_info_for_programs(root):
    answer = json.loads(run("info", root, "--json", "--labels", "--fps", "12.5", "--clip-length", "8"))
    assert (answer["type"], answer["videos"], answer["frames"], answer["fps"]) == ("videos", 2, 20, 12.5)
    assert answer["classes"] == ["a", "b"]
    assert answer["sizes"] == [[64, 48]]


def test_info_with_measurements(root, monkeypatch):
    monkeypatch.setattr(command, "BENCH_SECONDS", 0.1)
    answer = json.loads(run("info", root, "--json", "--bench", "--resolution", "16"))
    assert answer["loader_pairs_per_second"] > 0
    assert answer["whole_clips_per_second"] > 0


def test_verify(root):
    assert "all of its 2 videos can be decoded" in run("verify", root)
    (root / "bad.mp4").write_text("text")
    with pytest.raises(DataError, match="1 of 3 videos are broken"):
        run("verify", root)


def test_verify_for_programs(root):
    assert json.loads(run("verify", root, "--json")) == {"type": "videos", "videos": 2, "broken": []}
    (root / "bad.mp4").write_text("text")
    told = CliRunner().invoke(command.app, ["verify", str(root), "--json"])
    (broken,) = json.loads(told.stdout)["broken"]
    assert broken["name"] == "bad.mp4"
    assert broken["reason"].startswith("not a video")
    assert isinstance(told.exception, DataError)


def test_verify_finds_what_the_index_does_not(root):
    path = root / "a/1.mp4"
    open_dataset({"type": "videos", "path": str(root), "clip_length": 1})
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # the index believes it knows the file
    with pytest.raises(DataError, match="1 of 2 videos are broken"):
        run("verify", root)


def test_convert(root, tmp_path):
    out = tmp_path / "out.zip"
    assert "2 videos" in run("convert", root, out, "--resolution", "16", "--format", "png", "--labels", "--fps", "5")
    back = open_dataset({"type": "zip", "path": str(out), "resolution": 16, "clip_length": 4, "labels": True})
    assert (back.classes, back.fps, back.length(0)) == (["a", "b"], 5, 4)


def test_mistakes(root, tmp_path):
    (tmp_path / "folder.zip").mkdir()
    for arguments, match in (
        (["info", tmp_path / "nowhere"], "there is no such file"),
        (["info", root, "--type", "vidoes"], "Did you mean 'videos'"),
        (["convert", root, tmp_path / "out.tar"], r"should end in \.zip"),
        (["convert", root, tmp_path / "out.zip", "--format", "tiff"], "jpeg or png"),
        (["info", root, "--clip-length", "50"], "20 frames, the clip needs 50"),
        (["info", root, "--fps", "nan"], "^--fps: should be a finite number, got nan$"),
        (["info", root, "--fps", "inf"], "^--fps: .*$"),
        (["info", root, "--fps", "1e9"], "^--fps: .*$"),
        (["info", root, "--resolution", "100000"], "^--resolution: .*less than or equal to 16384, .*$"),
        (["info", root, "--clip-length", str(10**21)], "^--clip-length: .*$"),
        (["convert", root, root / "a/1.mp4/x.zip"], r"^.*/x\.zip: cannot be written: .*$"),
        (["convert", root, tmp_path / "folder.zip"], r"^.*/folder\.zip: cannot be written: a folder, not a file$"),
    ):
        with pytest.raises(InrvidError, match=match):
            run(*arguments)


def test_verify_says_what_it_cannot_know(root):
    write_video(root / "c.webm", 20, codec="libvpx")
    assert run("verify", root).endswith(
        "can be decoded to the last frame; of vp8, altered bytes are seldom or never noticed\n"
    )


def test_names_that_are_no_text(tmp_path):
    write_video(tmp_path / "caf\udce9/\udcff.mp4", 20)
    (tmp_path / "caf\udce9/bad.mp4").touch()
    answer = json.loads(run("info", tmp_path / "caf\udce9", "--json"))
    assert (answer["videos"], answer["path"]) == (1, str(tmp_path / "caf\udce9"))
    run("convert", tmp_path / "caf\udce9", tmp_path / "out.zip", "--resolution", "16")
    assert (tmp_path / "out.zip").exists()
