"""fps takes the nearest source frame, stride every n-th."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter

from inrvid.data.rates import source_frames
from inrvid.data.video_info import Ticks, VideoInfo


def video(times_ms, fps) -> VideoInfo:
    return VideoInfo(8, 8, fps, Ticks.of(list(times_ms)), Ticks.of([0]), (1, 1000))


STEADY = video(range(0, 1200, 40), 25.0)  # 30 frames, 1.2 s


@pytest.mark.parametrize("ticks", [[0, 40, 80], [3, 4, 6], [5], []])
def test_ticks_keep_their_values(ticks):
    assert Ticks.of(ticks).array().tolist() == ticks
    assert len(Ticks.of(ticks)) == len(ticks)


def test_an_index_entry_survives_json():
    for info in (STEADY, video([0, 40, 100], 20.0)):
        stored = TypeAdapter(VideoInfo)
        assert stored.validate_json(stored.dump_json(info), strict=True) == info


def test_all_frames_without_fps():
    assert source_frames(STEADY, None).tolist() == list(range(30))


def test_half_the_rate():
    assert source_frames(STEADY, 12.5).tolist() == list(range(0, 30, 2))


def test_twice_the_rate_repeats_frames():
    got = source_frames(STEADY, 50.0)
    assert len(got) == 60
    assert got[::2].tolist() == list(range(30))


def test_its_own_rate_changes_nothing():
    assert source_frames(STEADY, 25.0).tolist() == list(range(30))


@pytest.mark.parametrize("fps", [7.0, 10.0, 24.0, 30.0, 60.0])
def test_nearest_frame_of_a_variable_rate(fps):
    info = video(np.cumsum([0, 40, 10, 300, 33, 33, 120, 5, 60]), 15.0)
    times = info.times()
    for k, frame in enumerate(source_frames(info, fps)):
        assert abs(times[frame] - k / fps) <= np.abs(times - k / fps).min() + 1e-5


def test_ties_are_always_broken_the_same_way():
    thirty = VideoInfo(8, 8, 30.0, Ticks.of(range(0, 600 * 1001, 1001)), Ticks.of([0]), (1, 30030))
    odd = source_frames(thirty, 20.0)[1::2]  # k/20 s is halfway between frames 1.5 k ± 0.5
    assert set((odd - 1) % 3) == {0}
