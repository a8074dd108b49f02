"""Whatever a foreign decoder raises is one kind of error; errors of the machine, and our own, are not."""

from __future__ import annotations

import errno
import os
import socket
import struct
import zipfile
import zlib

import pytest

from inrvid.data.damage import UnreadableError, decoding
from inrvid.data.sources.frames import FrameZip
from inrvid.errors import DataError
from inrvid.registry import registry

from .making import write_video
from .test_frames import write_frames, zipped

RAISED = [
    zlib.error("Error -3"), RuntimeError("encrypted"), NotImplementedError("Deflate64"), struct.error("unpack"),
    EOFError(), SyntaxError("broken PNG"),
    ValueError("two\nlines"), IndexError("x"), OSError(errno.EIO, "Input/output error"),
]  # fmt: skip


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_all_of_them_become_one_kind(error):
    with pytest.raises(UnreadableError) as caught, decoding("broken: "):
        raise error
    assert str(caught.value).startswith("broken: ")
    assert len(str(caught.value)) > len("broken: ")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error


def test_a_reason_that_is_known_stays():
    with pytest.raises(UnreadableError, match=r"^truncated$"), decoding("broken: "):
        raise UnreadableError("truncated")


def test_memory():
    with pytest.raises(UnreadableError, match="more memory than there is"), decoding():
        raise MemoryError


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE])
def test_no_file_is_to_blame_for_too_many_open_ones(code):
    with pytest.raises(OSError, match="files") as caught, decoding():
        raise OSError(code, os.strerror(code))
    assert caught.value.errno == code


def test_an_interruption_is_no_damage():
    with pytest.raises(KeyboardInterrupt), decoding():
        raise KeyboardInterrupt


def frame_zip(path, **config) -> FrameZip:
    return registry("datasets").build({"type": "zip", "path": str(path), "resolution": 16, "clip_length": 4, **config})


def patched(path, video: str, flag: int | None = None, method: int | None = None):
    """The members of one video marked as encrypted or as compressed in another way, in both headers."""
    content = bytearray(path.read_bytes())
    for signature, start in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        names = 30 if start == 6 else 46
        at = content.find(signature)
        while at >= 0:
            if content[at + names :].startswith(video.encode()):
                if flag is not None:
                    struct.pack_into("<H", content, at + start, flag)
                if method is not None:
                    struct.pack_into("<H", content, at + start + 2, method)
            at = content.find(signature, at + 4)
    path.write_bytes(content)
    return path


@pytest.fixture
def archive(tmp_path):
    for name in ("v1", "v2"):
        write_frames(tmp_path / "frames" / name)
    return zipped(tmp_path / "frames", tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("change", "reason"), [({"flag": 1}, "encrypted"), ({"method": 9}, "compression method is not supported")]
)
def test_a_video_of_a_zip_that_cannot_be_unpacked(archive, change, reason):
    data = frame_zip(patched(archive, "v1", **change))
    assert [record.name for record in data.records] == ["v2"]
    assert data.skipped[0].name == "v1"
    assert reason in data.skipped[0].reason


def test_a_wrong_checksum_in_a_zip(archive):
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as whole:
        info = whole.getinfo("v2/frame9.png")
    content[info.header_offset + 30 + len(info.filename) + 40] ^= 1
    archive.write_bytes(content)
    data = frame_zip(archive)
    for look in (lambda: data.read(1, [2]), lambda: data.check(1)):
        with pytest.raises(DataError, match=r"a\.zip/v2/frame9\.png: Bad CRC"):
            look()


def test_members_are_bounded_by_what_they_declare(archive, monkeypatch):
    monkeypatch.setattr("inrvid.data.picture.MOST_BYTES", 60)
    with pytest.raises(DataError, match=r"too large: .* at most 60"):
        frame_zip(archive)


def test_a_member_that_inflates_to_more_than_it_declares(tmp_path):
    write_frames(tmp_path / "frames" / "v1")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((tmp_path / "frames").rglob("*.png")):
            archive.writestr(file.relative_to(tmp_path / "frames").as_posix(), file.read_bytes() + bytes(10**6))
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\1\2")
    while at >= 0:  # the sizes in the directory are those that count
        struct.pack_into("<I", content, at + 24, 100)
        at = content.find(b"PK\1\2", at + 4)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"none of its videos can be used(.|\n)*Bad CRC"):
        frame_zip(path)


def put_instead(path, kind):
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to("/nonexistent")


KINDS = {"pipe": "a pipe", "socket": "a socket", "folder": "a folder", "dangling link": "[Nn]o such file"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("later", [False, True])
def test_a_video_that_is_no_file(tmp_path, kind, later, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / name, 6)
    config = {"type": "videos", "path": ".", "resolution": 16, "clip_length": 4}
    data = registry("datasets").build(config)
    put_instead(tmp_path / "a.mp4", kind)
    if later:
        with pytest.raises(DataError, match=rf"a\.mp4: {KINDS[kind]}"):
            data.read(0, [0])
        assert len(data.fingerprint) == 64
    elif kind != "folder":
        with pytest.raises(DataError, match=rf"a\.mp4: {KINDS[kind]}"):
            registry("datasets").build({**config, "on_error": "fail"})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["frame9.png", "frame7.png"])
def test_a_frame_that_is_no_file(tmp_path, kind, name, monkeypatch):
    for video in ("a", "b"):
        write_frames(tmp_path / video)
    monkeypatch.chdir(tmp_path / "a")
    put_instead(tmp_path / "a" / name, kind)
    data = registry("datasets").build({"type": "frames", "path": str(tmp_path), "resolution": 16, "clip_length": 4})
    if kind == "folder":  # one more video, with nothing in it, is none
        assert [record.frames for record in data.records] == [5, 6]
    elif name == "frame7.png":
        assert [item.name for item in data.skipped] == ["a"]
    else:
        assert data.read(0, [0, 1]).shape[0] == 2
        with pytest.raises(DataError, match=rf"a/frame9\.png: {KINDS[kind]}"):
            data.read(0, [2])
