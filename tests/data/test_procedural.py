"""Procedural videos: determined by (split, number), moving, occluding, the same at every size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inrvid.data.sources.procedural import ProceduralScenes
from inrvid.data.sources.scenes import PALETTES
from inrvid.errors import ConfigError, DataError
from inrvid.registry import registry

FRAMES = range(16)


def scenes(**config) -> ProceduralScenes:
    return registry("datasets").build({"type": "procedural", "resolution": 32, **config})


def videos(data: ProceduralScenes, count: int) -> np.ndarray:
    """The first `count` videos, float64 `[count, 16, H, W, 3]` in 0 … 1."""
    return np.stack([data.read(video, FRAMES) for video in range(count)]) / 255


def test_frames_are_uint8_of_the_configured_size():
    frames = scenes(resolution=[24, 40]).read(3, [5, 0, 5])
    assert frames.shape == (3, 24, 40, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(frames[0], frames[2])
    assert scenes().read(0, []).shape == (0, 32, 32, 3)


def test_a_video_is_a_function_of_its_split_and_number():
    small, large = scenes(videos=4), scenes(videos=9, frames=200, labels=True)
    whole = small.read(3, FRAMES)
    assert np.array_equal(whole, large.read(3, FRAMES))
    assert np.array_equal(whole[[7, 2]], small.read(3, [7, 2]))


def test_no_video_is_in_both_splits_or_twice_in_one():
    every = np.concatenate([videos(scenes(split=split), 24)[:, 0] for split in ("train", "test")])
    distance = np.abs(every[:, None] - every[None]).mean((2, 3, 4)) + np.eye(len(every))
    assert distance.min() > 0.02


def test_motion_is_plain_to_see_and_smooth():
    change = np.abs(np.diff(videos(scenes(), 24), axis=1)).mean((2, 3, 4))
    assert change.mean() > 0.015
    assert change.mean(1).min() > 0.004
    assert change.max() < 0.12  # nothing jumps


def test_whole_scene_changes_over_a_clip():
    data = videos(scenes(), 24)
    changed = np.abs(data[:, -1] - data[:, 0]).max(-1) > 0.05
    assert changed.mean() > 0.4


def test_sun_is_covered_at_times_and_free_at_others():
    data, t = scenes(), np.arange(16) / 25
    seen = []
    for video in range(16):
        scene = data.scene(video)
        x, y = scene.sun.position(t)
        inside = (x > 0.05) & (x < 0.95) & (y > 0.05)
        column = np.clip(x * 32, 0, 31).astype(int)
        row = np.clip(y * 32, 0, 31).astype(int)
        colour = data.read(video, FRAMES)[np.arange(16), row, column] / 255
        difference = np.abs(colour - scene.palette.light * scene.sun.daylight(t)).max(1)
        seen += list(difference[inside] < 0.05)
    assert 0.2 < np.mean(seen) < 0.9


def test_sun_crosses_a_good_part_of_the_frame():
    path = [scenes().scene(video).sun.position(np.array([0.0, 0.6])) for video in range(16)]
    distance = [np.hypot(x[1] - x[0], y[1] - y[0]) for x, y in path]
    assert min(distance) > 0.2
    assert np.mean(distance) > 0.35


def test_colours_vary():
    mean = videos(scenes(), 40).mean((1, 2, 3))
    assert (mean.std(0) > 0.1).all()


def test_sizes_show_the_same_scene():
    for video in range(4):
        large = scenes(resolution=128).read(video, [0, 9]) / 255.0
        small = scenes(resolution=32).read(video, [0, 9]) / 255.0
        pooled = large.reshape(2, 32, 4, 32, 4, 3).mean((2, 4))
        assert np.abs(pooled - small).mean() < 0.01
        assert np.abs(pooled - small).max() < 0.25


def test_wide_frames_show_more_of_the_same_scene():
    wide, square = scenes(resolution=[32, 64]), scenes()
    assert np.array_equal(wide.read(0, [4])[:, :, 16:48], square.read(0, [4]))


@pytest.mark.parametrize(("config", "fps"), [({}, 25), ({"stride": 2}, 12.5), ({"fps": 10}, 10)])
def test_frame_rate_sets_the_times(config, fps):
    data = scenes(**config)
    assert data.fps == data.rate(0) == fps
    assert np.array_equal(data.read(1, [4]), scenes(fps=fps / 2).read(1, [2]))


def test_classes_are_times_of_day_in_equal_numbers():
    data = scenes(labels=True, videos=12)
    assert data.classes == sorted(PALETTES) == ["dawn", "day", "dusk", "night"]
    labels = [data.label(video) for video in range(12)]
    assert np.bincount(labels).tolist() == [3, 3, 3, 3]
    night = np.mean([data.read(v, [8]).mean() for v in range(12) if data.label(v) == 3])
    day = np.mean([data.read(v, [8]).mean() for v in range(12) if data.label(v) == 1])
    assert night < 0.6 * day


def test_index_and_summary():
    data = scenes(videos=3, frames=20)
    assert len(data) == 3
    assert [record.name for record in data.records] == sorted({record.name for record in data.records})
    assert data.length(2) == 20
    assert data.classes == data.skipped == []
    assert data.summary() == ["3 procedural videos, 20 frames each, 25 fps"]
    assert not ProceduralScenes.matches(Path())


def test_fingerprint_tells_contents_apart_and_nothing_else():
    same = {scenes().fingerprint, scenes(workers=2, in_memory=False).fingerprint}
    others = {scenes(**config).fingerprint for config in ({"split": "test"}, {"videos": 5}, {"resolution": 64})}
    assert len(same) == 1
    assert len(same | others) == 4


def test_a_video_must_hold_a_clip():
    with pytest.raises(DataError, match=r"data\.frames=32"):
        scenes(frames=16, clip_length=32)


def test_elements_are_left_out():
    def pictures(*elements):
        return videos(scenes(elements=elements), 40)[:, 8]

    sky = pictures()
    for elements in (("clouds",), ("hills",), ("lake",), ("hills", "lake")):
        changed = np.abs(pictures(*elements) - sky).max(axis=(1, 2, 3)) > 0.1
        assert changed.mean() > (0.1 if elements == ("lake",) else 0.9)  # one scene in four has a lake
    assert np.array_equal(pictures("hills")[:, :4], sky[:, :4])  # they are at the bottom


def test_times_of_day_are_chosen():
    data = scenes(labels=True, times_of_day=["night", "day"])
    assert data.classes == ["day", "night"]
    assert [data.label(video) for video in range(4)] == [1, 0, 1, 0]
    with pytest.raises(ConfigError, match="each may be named once, got day, day"):
        scenes(times_of_day=["day", "day"])
