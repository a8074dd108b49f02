"""Given frames: photographs, videos, folders; their numbers and times."""

from __future__ import annotations

import numpy as np
import pytest

from inrvid import InrvidError
from inrvid.applications.targets import (
    as_model,
    check_apart,
    check_levels,
    open_target,
    parse_numbers,
    parse_whole,
    read_frames,
    times_of,
)
from inrvid.video_io import to_uint8, write_image, write_video


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))


def video(count: int = 6) -> np.ndarray:
    """Frame k is of colour 40·k, uint8."""
    return np.full((count, 24, 32, 3), 40, np.uint8) * np.arange(count, dtype=np.uint8)[:, None, None, None]


@pytest.mark.parametrize("name", ["a.mp4", "a"])
def test_frames_of_a_video(tmp_path, name):
    write_video(tmp_path / name, video(), 12.5)
    target = open_target(tmp_path / name, 16)
    frames = read_frames(target, [4, 1], "--frames")
    assert frames.shape == (2, 16, 16, 3)
    assert np.abs(frames.mean((1, 2, 3)) - [160, 40]).max() < 3
    assert target.length == 6
    # A file has a rate of its own; of frames in a folder, 25 a second is assumed.
    assert times_of(target, [0, 1, 4], fps=25.0).tolist() == ([0, 2, 8] if name == "a.mp4" else [0, 1, 4])


def test_a_photograph_has_no_time(tmp_path):
    write_image(tmp_path / "p.png", video()[3])
    target = open_target(tmp_path / "p.png", 16)
    assert read_frames(target, [0], "--frames").mean() == 120
    assert times_of(target, [0], fps=25.0).tolist() == [0]


def test_what_a_model_is_given_is_what_it_would_write():
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    assert np.array_equal(to_uint8(as_model(values)), values)


def test_refusals(tmp_path):
    for name in ("one", "two"):
        write_video(tmp_path / "many" / name, video(), 25)
    write_image(tmp_path / "p.png", video()[3])
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    for path, told in (("many", "holds 2 videos"), ("gone", "no such file"), ("broken.png", "broken.png: ")):
        with pytest.raises(InrvidError, match=told):
            open_target(tmp_path / path, 16)
    with pytest.raises(InrvidError, match="center_crop or squash"):
        open_target(tmp_path / "p.png", 16, rule="stretch")
    with pytest.raises(InrvidError, match=r"--frames: there is no frame 1: there are 0 … 0"):
        read_frames(open_target(tmp_path / "p.png", 16), [0, 1], "--frames")


def test_what_is_given_is_not_written_over(tmp_path):
    """Neither a file, by whatever name, nor a frame of a folder; what merely lies beside it may be."""
    write_video(tmp_path / "v", video(), 25)
    write_image(tmp_path / "p.png", video()[3])
    (tmp_path / "link.png").symlink_to("p.png")
    (tmp_path / "v" / "notes.json").touch()
    frame = next((tmp_path / "v").glob("*.png"))
    for target, path in (("p.png", "p.png"), ("p.png", "link.png"), ("v", frame)):
        with pytest.raises(InrvidError, match=r"would be written over, and belongs to .*: choose another -o"):
            check_apart(tmp_path / target, [tmp_path / "new.png", tmp_path / path])
    check_apart(tmp_path / "v", [tmp_path / "p.png", tmp_path / "v" / "notes.json"])
    check_apart(tmp_path / "gone", [tmp_path / "p.png"])


def test_numbers():
    assert parse_numbers("6-8, 12", "--frames") == [6, 7, 8, 12]
    assert parse_numbers("-1.5,0", "--times") == [-1.5, 0]
    assert parse_whole("8,6-7,6", "--frames") == [8, 6, 7, 6]
    for text in ("", "a", "8-", "1--3", "0-99999", "1e9", "nan", "9" * 20):
        with pytest.raises(InrvidError, match=r"--frames .*: expected numbers and ranges"):
            parse_numbers(text, "--frames")
    with pytest.raises(InrvidError, match=r"--frames: 8-6 goes backwards: 6-8"):
        parse_numbers("2,8-6", "--frames")
    with pytest.raises(InrvidError, match="whole numbers"):
        parse_whole("1.5", "--frames")


@pytest.mark.parametrize(
    "frames",
    [np.zeros((4, 16, 16, 3), np.float32), np.zeros((4, 3, 16, 16), np.uint8), np.zeros((16, 16, 3), np.uint8), None],
)
def test_frames_that_are_no_levels_are_refused(frames):
    with pytest.raises(InrvidError, match=r"expected an array uint8 \[T, H, W, 3\], got"):
        check_levels(frames, "T, H, W, 3")
    check_levels(np.zeros((4, 16, 16, 3), np.uint8), "T, H, W, 3")
