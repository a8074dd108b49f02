"""What is broken is found, what is intact raises no alarm, and what cannot be known is said."""

from __future__ import annotations

import contextlib

import av
import pytest

from inrvid.data.decode import check_file
from inrvid.data.probe import probe
from inrvid.data.verify import SILENT, broken_videos, silent_codecs
from inrvid.errors import DataError
from inrvid.registry import registry

from .making import moving, real_videos, write_video
from .test_decode import KINDS, MOVING
from .test_frames import write_frames, zipped


@pytest.mark.parametrize("kind", KINDS)
def test_no_false_alarm(tmp_path, kind):
    name, options = KINDS[kind]
    path = write_video(tmp_path / name, MOVING, **options)
    check_file(path, probe(path))


@pytest.mark.parametrize("path", real_videos(), ids=lambda path: path.stem)
def test_no_false_alarm_about_real_videos(path):
    check_file(path, probe(path))


CODECS = {
    "mpeg2video": ("a.mkv", "yuv420p"), "wmv2": ("a.wmv", "yuv420p"), "flv1": ("a.flv", "yuv420p"),
    "mjpeg": ("a.avi", "yuvj420p"), "msmpeg4v3": ("a.avi", "yuv420p"), "rawvideo": ("a.avi", "bgr24"),
    "tiff": ("a.mov", "rgb24"), "png": ("a.mov", "rgb24"), "prores": ("a.mov", "yuv422p10le"),
    "huffyuv": ("a.avi", "yuv422p"), "ffv1": ("a.mkv", "yuv420p"),
}  # fmt: skip
ENCODERS = {"flv1": "flv", "msmpeg4v3": "msmpeg4", "prores": "prores_ks"}


@pytest.mark.parametrize("codec", CODECS)
def test_other_codecs(tmp_path, codec):
    """No false alarm; and of files with altered pictures, those that are told are not of codecs that cannot tell."""
    name, pixels = CODECS[codec]
    path = write_video(tmp_path / name, MOVING, codec=ENCODERS.get(codec, codec), pixels=pixels)
    info = probe(path)
    assert info.codec == codec
    check_file(path, info)
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for position, size in packets[10:20]:
        content[position + size * 3 // 4] ^= 0x5A
    path.write_bytes(content)
    with contextlib.nullcontext() if codec in SILENT else pytest.raises(DataError, match=rf"{name}: "):
        check_file(path, info)


def test_strict_checks_find_more_than_reading_does(tmp_path):
    path = write_video(tmp_path / "a.avi", MOVING, codec="mjpeg", pixels="yuvj420p")
    info, told, read = probe(path), 0, 0
    content = path.read_bytes()
    data = registry("datasets").build({"type": "videos", "path": str(tmp_path), "resolution": 16})
    for position in range(len(content) // 4, len(content) // 2, len(content) // 40):
        path.write_bytes(content[:position] + b"\x55" + content[position + 1 :])
        for look in ("read", "check"):
            try:
                data.read(0, range(40)) if look == "read" else check_file(path, info)
            except DataError:
                told, read = told + (look == "check"), read + (look == "read")
    assert told > read


def test_a_file_with_fewer_frames_than_the_index_says(tmp_path):
    path = write_video(tmp_path / "a.mp4", MOVING)
    info = probe(path)
    write_video(path, MOVING[:30])
    with pytest.raises(DataError, match=r"a\.mp4: broken: 30 of 40 frames"):
        check_file(path, info)


def test_all_of_a_data_set(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / name, MOVING)
    (tmp_path / "c.mp4").touch()
    data = registry("datasets").build({"type": "videos", "path": str(tmp_path), "resolution": 16})
    (tmp_path / "b.mp4").write_text("gone")
    assert [(item.name, item.reason) for item in broken_videos(data)] == [
        ("c.mp4", "empty file"),
        ("b.mp4", "not a video, or cut short: Invalid data found when processing input"),
    ]


def test_codecs_that_cannot_tell(tmp_path):
    write_video(tmp_path / "videos/a.mp4", MOVING)
    write_video(tmp_path / "videos/b.webm", MOVING, codec="libvpx")
    write_video(tmp_path / "videos/c.avi", [moving(i) for i in range(20)], codec="rawvideo", pixels="bgr24")
    data = registry("datasets").build({"type": "videos", "path": str(tmp_path / "videos"), "resolution": 16})
    assert silent_codecs(data) == ["rawvideo", "vp8"]
    write_frames(tmp_path / "frames/v")
    for kind, path in (("frames", tmp_path / "frames"), ("zip", zipped(tmp_path / "frames", tmp_path / "a.zip"))):
        data = registry("datasets").build({"type": kind, "path": str(path), "resolution": 16, "clip_length": 4})
        assert silent_codecs(data) == []  # png has checksums, and so has a zip
