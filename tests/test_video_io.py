from __future__ import annotations

import av
import numpy as np
import pytest
import torch
from PIL import Image

from inrvid import InrvidError
from inrvid.video_io import enlarge, gif_durations, grid, strip, to_uint8, write_video


def smooth_video(frames=6, height=32, width=48):
    t, y, x = np.meshgrid(np.arange(frames), np.arange(height), np.arange(width), indexing="ij")
    return np.stack([x * 4, y * 6, t * 20 + x], axis=-1).astype(np.uint8)


def test_to_uint8_rounds_and_clamps():
    values = torch.tensor([-2.0, -1.0, 0.0, 0.999, 1.0, 2.0])
    frames = values.view(6, 1, 1, 1).expand(6, 3, 2, 2)
    assert to_uint8(frames)[:, 0, 0, 0].tolist() == [0, 0, 128, 255, 255, 255]
    assert to_uint8(frames).shape == (6, 2, 2, 3)


@pytest.mark.parametrize("size", [(32, 48), (31, 47)])
def test_mp4_keeps_frames_rate_and_picture(tmp_path, size):
    video = smooth_video(height=size[0], width=size[1])
    write_video(tmp_path / "a.mp4", video, fps=12.5)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert float(container.streams.video[0].average_rate) == 12.5
        decoded = np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])
    assert decoded.shape[0] == len(video)
    height, width = size
    assert np.abs(decoded[:, :height, :width].astype(int) - video).mean() < 6  # yuv420p and the codec
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_the_same_video_is_the_same_file(tmp_path, suffix):
    video = np.random.default_rng(0).integers(0, 256, (12, 64, 96, 3), np.uint8)
    video = np.concatenate([smooth_video(24, 64, 96), video])
    files = set()
    for _ in range(10):
        write_video(tmp_path / f"a{suffix}", video, fps=25)
        files.add((tmp_path / f"a{suffix}").read_bytes())
    assert len(files) == 1


def test_gif_and_frames(tmp_path):
    video = smooth_video()
    write_video(tmp_path / "a.gif", video, fps=10)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == len(video)
        assert gif.info["duration"] == 100
        assert gif.info["loop"] == 0
    write_video(tmp_path / "frames", video, fps=10)
    paths = sorted((tmp_path / "frames").iterdir())
    assert np.array_equal(np.stack([np.asarray(Image.open(p)) for p in paths]), video)


def test_a_shorter_video_leaves_no_frame_of_a_longer_one(tmp_path):
    """Once the folder held a mixture of both."""
    video = smooth_video()
    write_video(tmp_path / "frames", video, fps=10)
    (tmp_path / "frames" / "notes.txt").write_text("mine")
    write_video(tmp_path / "frames", video[2:4], fps=10)
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == ["000000.png", "000001.png", "notes.txt"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "frames" / "000001.png")), video[3])
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_other_people_s_pictures_are_not_replaced(tmp_path):
    """Whatever was numbered like a frame was deleted, once."""
    Image.new("RGB", (4, 4)).save(tmp_path / "20190510.png")
    with pytest.raises(InrvidError, match=r"holds pictures that are not inrvid's \(20190510\.png\)"):
        write_video(tmp_path, smooth_video(), fps=10)
    assert [path.name for path in tmp_path.iterdir()] == ["20190510.png"]


@pytest.mark.parametrize("fps", [0.01, 3, 12, 24, 29.97, 30, 50])
def test_a_gif_is_as_long_as_its_video(fps):
    durations = gif_durations(120, fps)
    assert abs(sum(durations) - 120 * 1000 / fps) <= 5
    assert max(durations) - min(durations) <= 10


def test_unknown_suffix(tmp_path):
    with pytest.raises(InrvidError, match=r"use \.mp4, \.gif, or a folder"):
        write_video(tmp_path / "a.webm", smooth_video(), fps=10)


def test_grid_and_strip():
    videos = np.arange(3 * 4).reshape(3, 4, 1, 1, 1).repeat(3, axis=-1).astype(np.uint8)
    tiled = grid(videos)  # 2 × 2, one place empty
    assert tiled.shape == (4, 2, 2, 3)
    assert tiled[1, :, :, 0].tolist() == [[1, 5], [9, 0]]
    assert strip(videos, rows=2, columns=4)[:, :, 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert strip(videos, rows=1, columns=2)[:, :, 0].tolist() == [[0, 3]]
    assert enlarge(tiled, 3).shape == (4, 6, 6, 3)
