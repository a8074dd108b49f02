"""Which data set a path is taken for."""

from __future__ import annotations

import pytest
from PIL import Image

from inrvid.data.open import detect, open_dataset
from inrvid.data.sources.procedural import ProceduralScenes
from inrvid.data.sources.videos import VideoFolder
from inrvid.errors import ConfigError, DataError
from inrvid.registry import registry

from .making import write_video


def test_detect(tmp_path):
    write_video(tmp_path / "videos/sub/a.mp4", 4)
    write_video(tmp_path / "one.webm", 4, codec="libvpx")
    write_video(tmp_path / "ucf/UCF-101/Archery/v_Archery_g01_c01.avi", 4, codec="mpeg4")
    (tmp_path / "frames/v1").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "frames/v1/1.jpg")
    (tmp_path / "a.zip").touch()
    expected = {"videos": "videos", "one.webm": "videos", "ucf": "ucf101", "frames": "frames", "a.zip": "zip"}
    assert {name: detect(tmp_path / name) for name in expected} == expected


def test_thumbnails_beside_videos_do_not_make_frames(tmp_path):
    write_video(tmp_path / "a.mp4", 4)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    assert detect(tmp_path) == "videos"


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="there is no such file or folder"):
        detect(tmp_path / "nowhere")
    with pytest.raises(DataError) as caught:
        detect(tmp_path)
    for name in ("videos", "ucf101", "frames", "zip"):
        assert f"  {name}: " in str(caught.value)
    assert "procedural" not in str(caught.value)


def test_open(tmp_path):
    write_video(tmp_path / "a.mp4", 20)
    config = registry("datasets").validate({"type": "videos", "path": str(tmp_path)})
    assert isinstance(open_dataset(config), VideoFolder)
    assert isinstance(open_dataset({"type": "procedural"}), ProceduralScenes)
    with pytest.raises(ConfigError, match="Did you mean 'videos'"):
        open_dataset({"type": "video", "path": str(tmp_path)})
