from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageSequence

from inrvid.errors import InrvidError
from inrvid.video_io import gif_durations, write_video


@pytest.mark.parametrize("fps", [0.01, 3, 12, 24, 29.97, 30, 50])
def test_a_gif_is_as_long_as_its_video(fps):
    durations = gif_durations(120, fps)
    assert abs(sum(durations) - 120 * 1000 / fps) <= 5
    assert max(durations) - min(durations) <= 10


def test_pictures_and_their_times(tmp_path):
    """Few colours come back as they were, whatever has changed from one picture to the next."""
    video = np.random.default_rng(0).integers(0, 6, (7, 20, 30, 3)).astype(np.uint8) * 50
    video[3] = video[2]
    write_video(tmp_path / "a.gif", video, fps=12)
    with Image.open(tmp_path / "a.gif") as gif:
        pictures = [np.array(picture.convert("RGB")) for picture in ImageSequence.Iterator(gif)]
        durations = [picture.info["duration"] for picture in ImageSequence.Iterator(gif)]
    assert np.array_equal(pictures, video)
    assert durations == gif_durations(7, 12)


def test_one_that_would_be_slowed_down_is_refused(tmp_path):
    with pytest.raises(InrvidError, match=r"a\.gif: 60 frames a second: a gif's go up to 50: give --fps 50"):
        write_video(tmp_path / "a.gif", np.zeros((3, 8, 8, 3), np.uint8), fps=60)
    assert not list(tmp_path.iterdir())


def test_of_one_picture(tmp_path):
    write_video(tmp_path / "a.gif", np.full((1, 8, 8, 3), 77, np.uint8), fps=25)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 1
        assert gif.info["duration"] == 40
        assert gif.convert("RGB").getpixel((3, 3)) == (77, 77, 77)
