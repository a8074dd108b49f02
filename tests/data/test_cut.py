"""Videos cut into clips without overlap, as DIGAN's release cuts folders of frames."""

from __future__ import annotations

import pytest

from inrvid.errors import DataError
from inrvid.registry import registry

from .making import level, write_video
from .test_frames import write_frames


def frames_of(dataset, video):
    """Numbers of the file's frames, told by their brightness."""
    levels = [level(number) for number in range(100)]
    return [levels.index(int(picture[0, 0, 0])) for picture in dataset.read(video, range(dataset.length(video)))]


def opened(path, **keys):
    return registry("datasets").build({"type": "frames", "path": str(path), "resolution": 16, "cut": "clips", **keys})


def test_clips_do_not_overlap_and_rests_are_left_out(tmp_path):
    write_frames(tmp_path / "a", 11)
    write_frames(tmp_path / "b", 3)
    write_frames(tmp_path / "c", 4)
    dataset = opened(tmp_path, clip_length=4)
    assert [frames_of(dataset, video) for video in range(len(dataset))] == [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]]
    assert [item.name for item in dataset.skipped] == ["b"]
    assert dataset.summary()[0].startswith("2 videos cut into 3 clips, 12 frames")


def test_a_stride_gives_as_many_interleaved_clips(tmp_path):
    write_frames(tmp_path / "a", 13)
    dataset = opened(tmp_path, clip_length=3, stride=2)
    assert [frames_of(dataset, v) for v in range(len(dataset))] == [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9, 11]]


def test_too_short_for_a_clip_at_this_stride(tmp_path):
    write_frames(tmp_path / "a", 7)  # frames 0, 2, 4, 6 would do, but a block is of eight
    with pytest.raises(DataError, match=r"3 frames at 12\.5 fps, the clip needs 4"):
        opened(tmp_path, clip_length=4, stride=2)


def test_files_and_classes_too(tmp_path):
    write_video(tmp_path / "one" / "a.mp4", 9)
    write_video(tmp_path / "two" / "b.mp4", 5)
    dataset = opened(tmp_path, type="videos", clip_length=4, labels=True)
    assert [dataset.label(video) for video in range(len(dataset))] == [0, 0, 1]
    assert dataset.fingerprint != opened(tmp_path, type="videos", clip_length=4, labels=True, cut="whole").fingerprint
