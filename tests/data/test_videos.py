"""Folders of videos: what is found, skipped, refused; classes, rates, lengths, reading."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inrvid.data.sources.videos import VideoFolder
from inrvid.errors import DataError
from inrvid.registry import registry

from .making import level, moving, truncate, write_audio, write_video


def folder(path, **config) -> VideoFolder:
    return registry("datasets").build(
        {"type": "videos", "path": str(path), "resolution": 16, "clip_length": 4, **config}
    )


@pytest.fixture
def classes(tmp_path):
    for name in ("dogs/2.mp4", "dogs/1.mp4", "cats/deep/3.MP4"):
        write_video(tmp_path / name, 8)
    return tmp_path


@pytest.fixture
def mixed(tmp_path):
    write_video(tmp_path / "good.mp4", 8)
    write_video(tmp_path / "short.mp4", 3)
    write_audio(tmp_path / "sound.mp4")
    (tmp_path / "text.mp4").write_text("text")
    (tmp_path / "empty.avi").touch()
    Image.new("RGB", (20, 20)).save(tmp_path / "one.gif")
    truncate(write_video(tmp_path / "cut.mp4", [moving(i) for i in range(20)]), 0.6)
    (tmp_path / "notes.txt").write_text("no video by its name")
    (tmp_path / "._good.mp4").write_text("hidden")
    return tmp_path


def test_videos_in_the_order_of_their_names(classes):
    data = folder(classes)
    assert [record.name for record in data.records] == ["cats/deep/3.MP4", "dogs/1.mp4", "dogs/2.mp4"]
    assert data.classes == []
    assert data.records[0].label is None
    assert [data.length(video) for video in range(3)] == [8, 8, 8]


def test_classes_are_the_first_sub_folders(classes):
    data = folder(classes, labels=True)
    assert data.classes == ["cats", "dogs"]
    assert [data.label(video) for video in range(3)] == [0, 1, 1]


def test_labels_where_there_are_none(tmp_path):
    write_video(tmp_path / "a.mp4", 8)
    with pytest.raises(DataError, match=r"no classes found\. Looked for one sub-folder a class"):
        folder(tmp_path, labels=True)


def test_a_video_outside_the_class_folders_is_skipped(classes):
    write_video(classes / "stray.mp4", 8)
    (skipped,) = folder(classes, labels=True).skipped
    assert skipped.name == "stray.mp4"
    assert "no class" in skipped.reason


def test_unusable_files_are_named_with_the_reason(mixed):
    data = folder(mixed)
    assert [record.name for record in data.records] == ["good.mp4"]
    reasons = {item.name: item.reason for item in data.skipped}
    assert reasons.keys() == {"short.mp4", "sound.mp4", "text.mp4", "empty.avi", "one.gif", "cut.mp4"}
    assert reasons["short.mp4"] == "3 frames, the clip needs 4"
    assert reasons["one.gif"] == "1 frame, the clip needs 4"
    assert reasons["sound.mp4"] == "no video stream (audio only)"
    assert "Invalid data found" in reasons["text.mp4"]
    assert "  short.mp4: 3 frames, the clip needs 4" in data.summary()


def test_on_error_fail_names_the_file(mixed):
    with pytest.raises(DataError, match=r"cut\.mp4: "):
        folder(mixed, on_error="fail")


def test_nothing_usable(tmp_path):
    write_video(tmp_path / "a.mp4", 3)
    with pytest.raises(DataError, match=r"none of its videos can be used(.|\n)*a\.mp4: 3 frames, the clip needs 4"):
        folder(tmp_path)


def test_no_videos_and_no_folder(tmp_path):
    with pytest.raises(DataError, match=r"no video files \(mp4, avi"):
        folder(tmp_path)
    with pytest.raises(DataError, match="nowhere: there is no such file or folder"):
        folder(tmp_path / "nowhere")


def test_many_skipped_files_are_cut_short_in_the_summary(tmp_path):
    write_video(tmp_path / "good.mp4", 8)
    for number in range(13):
        (tmp_path / f"bad{number}.mp4").touch()
    lines = folder(tmp_path).summary()
    assert "skipped: 13 videos" in lines
    assert lines[-1] == f"  and 3 more (inrvid data verify {tmp_path})"
    assert sum(": empty file" in line for line in lines) == 10


def test_mixed_rates_are_reported(tmp_path):
    write_video(tmp_path / "a.mp4", 8, fps=30)
    write_video(tmp_path / "b.mp4", 8, fps=10)
    write_video(tmp_path / "c.mp4", 8, fps=10)
    data = folder(tmp_path)
    assert data.fps == 10
    assert any("10 fps (2), 30 fps (1); mixed: set data.fps" in line for line in data.summary())
    even = folder(tmp_path, fps=10, clip_length=2)
    assert [even.length(video) for video in range(3)] == [2, 8, 8]
    assert not any("mixed" in line for line in even.summary())


def brightness(pictures) -> list[int]:
    return [int(np.median(picture)) for picture in pictures]


@pytest.mark.parametrize(
    ("config", "numbers", "fps"),
    [
        ({}, list(range(20)), 20),
        ({"stride": 3}, [0, 3, 6, 9, 12, 15, 18], 20 / 3),
        ({"fps": 10}, list(range(0, 20, 2)), 10),
        ({"fps": 10, "stride": 2}, [0, 4, 8, 12, 16], 5),
    ],
)
def test_frame_numbers_are_at_the_models_rate(tmp_path, config, numbers, fps):
    write_video(tmp_path / "a.mp4", 20, fps=20, bf="2", g="6")
    data = folder(tmp_path, **config)
    assert data.length(0) == len(numbers)
    assert data.fps == data.rate(0) == pytest.approx(fps)
    got = brightness(data.read(0, range(data.length(0))))
    assert np.abs(np.array(got) - [level(number) for number in numbers]).max() <= 4


def test_frames_in_any_order_with_repetitions(tmp_path):
    write_video(tmp_path / "a.mp4", 20)
    data = folder(tmp_path, resolution=[16, 24])
    pictures = data.read(0, [7, 2, 7, 19])
    assert pictures.shape == (4, 16, 24, 3)
    assert pictures.dtype == np.uint8
    assert np.abs(np.array(brightness(pictures)) - [level(n) for n in (7, 2, 7, 19)]).max() <= 4


def test_a_single_file_is_a_data_set(classes):
    data = folder(classes / "dogs" / "1.mp4")
    assert [record.name for record in data.records] == ["1.mp4"]
    assert data.read(0, [0]).shape == (1, 16, 16, 3)


def test_a_link_to_a_folder_above_is_followed_once(classes):
    (classes / "dogs" / "loop").symlink_to(classes, target_is_directory=True)
    assert len(folder(classes)) == 3


def test_fingerprint_follows_content_and_how_it_is_read(classes):
    first = folder(classes).fingerprint
    assert folder(classes, workers=3, in_memory=False).fingerprint == first
    assert folder(classes, resolution=32).fingerprint != first
    assert folder(classes, stride=2).fingerprint != first
    write_video(classes / "dogs" / "1.mp4", 9)
    assert folder(classes).fingerprint != first


def test_times_that_are_too_far_apart_are_not_counted_out(tmp_path):
    write_video(tmp_path / "a.mkv", 8)
    write_video(tmp_path / "b.mkv", 8, times=[0, 40, 80, 120, 160, 200, 240, 10**9])
    assert [record.name for record in folder(tmp_path).records] == ["a.mkv", "b.mkv"]
    (skipped,) = folder(tmp_path, fps=25).skipped
    assert skipped.name == "b.mkv"
    assert "frames at 25 fps, at most 10000000 can be read" in skipped.reason


def test_the_reason_of_a_single_file_names_it_once(tmp_path):
    write_video(tmp_path / "a.mp4", 3)
    with pytest.raises(DataError, match=rf"^{tmp_path}/a\.mp4: 3 frames"):
        folder(tmp_path / "a.mp4", on_error="fail")


def test_how_videos_are_read_is_part_of_the_fingerprint(tmp_path):
    write_video(tmp_path / "a.mp4", np.zeros((16, 16, 24, 3), np.uint8))
    config = {"type": "videos", "path": str(tmp_path), "resolution": 16, "clip_length": 2}
    changes = [{}, {"fps": 12.5}, {"stride": 2}, {"resize": "squash"}, {"interpolation": "bilinear"}]
    assert len({registry("datasets").build({**config, **change}).fingerprint for change in changes}) == 5
