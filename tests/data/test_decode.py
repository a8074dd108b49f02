"""Random access gives the very frames that sequential decoding gives, whatever the container and codec."""

from __future__ import annotations

import dataclasses
import random
import shutil
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from av.video.stream import VideoStream

from inrvid.data import decode
from inrvid.data.damage import UnreadableError
from inrvid.data.decode import Damage, check_file, read_frames
from inrvid.data.orientation import of_display_matrix
from inrvid.data.probe import probe
from inrvid.errors import DataError

from .making import decoded, moving, real_videos, trim, truncate, write_audio, write_video

MOVING = [moving(number) for number in range(40)]
SMALL = [path for path in real_videos() if path.stat().st_size < 10**6]

KINDS = {
    "h264 with B-frames": ("a.mp4", {"bf": "3", "g": "10"}),
    "h264 with open GOPs": ("a.mp4", {"bf": "3", "x264-params": "open-gop=1:keyint=10:scenecut=0"}),
    "one GOP": ("a.mov", {"g": "1000"}),
    "mkv": ("a.mkv", {"bf": "2", "g": "8"}),
    "h265 with open GOPs": (
        "a.mkv",
        {"codec": "libx265", "x265-params": "open-gop=1:keyint=10:bframes=4:log-level=none"},
    ),
    "avi without B-frames": ("a.avi", {"codec": "mpeg4"}),
    "avi with B-frames": ("a.avi", {"codec": "mpeg4", "bf": "2"}),
    "avi whose frames have no times": ("a.avi", {"bf": "3"}),
    "and whose last GOP does not show it": ("a.avi", {"bf": "3", "x264-params": "keyint=13:scenecut=0"}),
    "vp9 with hidden frames": ("a.webm", {"codec": "libvpx-vp9", "auto-alt-ref": "1", "lag-in-frames": "16"}),
    "vp8": ("a.webm", {"codec": "libvpx", "auto-alt-ref": "1", "lag-in-frames": "16", "g": "12"}),
    "gif": ("a.gif", {"codec": "gif", "pixels": "rgb8", "fps": 10}),
    "variable rate": ("a.mp4", {"times": [7 * i * i for i in range(40)], "bf": "2", "g": "12"}),
}


def assert_same_as_sequential(path):
    info, expected = probe(path), decoded(path)
    assert info.frames == len(expected)
    draw = random.Random(0)
    samples = [[draw.randrange(info.frames) for _ in range(3)] for _ in range(8)]
    for frames in [*samples, [info.frames - 1, 0, 0], list(range(info.frames))]:
        for number, got in zip(frames, read_frames(path, info, frames), strict=True):
            assert np.array_equal(got, expected[number]), f"frame {number} of {frames}"


@pytest.mark.parametrize("kind", KINDS)
def test_random_access(tmp_path, kind):
    name, options = KINDS[kind]
    path = write_video(tmp_path / name, MOVING, **options)
    assert probe(path).frames == 40
    assert_same_as_sequential(path)


@pytest.mark.parametrize("path", [path for path in real_videos() if path.stat().st_size < 10**6], ids=lambda p: p.stem)
def test_random_access_in_real_videos(path):
    assert_same_as_sequential(path)


def test_a_container_that_seeks_too_far_is_read_from_its_start(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", MOVING, g="10")
    info, expected = probe(path), decoded(path)
    real = decode._runs  # a demuxer that lands 20 frames late
    late = lambda keys, wanted: [(min(start + 20, 39), run) for start, run in real(keys, wanted)]  # noqa: E731
    monkeypatch.setattr(decode, "_runs", late)
    assert np.array_equal(read_frames(path, info, [12])[0], expected[12])


def test_a_trimmed_mp4_starts_where_its_edit_list_says(tmp_path):
    whole = write_video(tmp_path / "whole.mp4", MOVING, bf="2", g="10")
    path = trim(whole, tmp_path / "a.mp4", frames=14)
    assert 20 < probe(path).frames < 40
    assert_same_as_sequential(path)


@pytest.mark.parametrize("kind", ["h264 with B-frames", "h264 with open GOPs", "vp9 with hidden frames", "mkv"])
def test_frames_that_are_left_out_are_not_missed(tmp_path, monkeypatch, kind):
    name, options = KINDS[kind]
    path = write_video(tmp_path / name, MOVING, **options)
    info, real = probe(path), decode._read_on
    skipping = []

    def recording(container, stream, pending, rgb, skip):
        skipping.append(skip)
        return real(container, stream, pending, rgb, skip)

    monkeypatch.setattr(decode, "_read_on", recording)
    for number in range(40):
        read_frames(path, info, [number])
    assert skipping == [True] * 40  # no second reading, from the start


def test_each_gop_is_entered_once(tmp_path, monkeypatch):
    info = probe(write_video(tmp_path / "a.mp4", MOVING, g="20", **{"x264-params": "scenecut=0"}))
    keys = info.keys.array()
    assert list(decode._runs(keys, [1, 5, 9])) == [(0, [1, 5, 9])]
    assert list(decode._runs(keys[1:], [3])) == [(0, [3])]
    assert list(decode._runs(keys, [19])) == [(0, [19])]
    assert list(decode._runs(keys, [20])) == [(20, [20])]
    assert list(decode._runs(keys, [1, 25, 30])) == [(0, [1]), (20, [25, 30])]
    assert list(decode._runs(keys, list(range(40)))) == [(0, list(range(40)))]


def test_what_the_index_knows(tmp_path):
    info = probe(write_video(tmp_path / "a.mp4", MOVING, fps=Fraction(30000, 1001)))
    assert (info.width, info.height, info.frames) == (64, 48, 40)
    assert info.fps == pytest.approx(30000 / 1001, rel=1e-9)
    assert info.ticks.uniform is not None
    assert info.times()[3] == pytest.approx(3 * 1001 / 30000)


def test_times_of_a_variable_rate(tmp_path):
    times = [0, 40, 100, 400, 420]
    info = probe(write_video(tmp_path / "a.mp4", MOVING[:5], times=times))
    assert info.times() == pytest.approx(np.array(times) / 1000)
    assert info.fps == pytest.approx(4 / 0.42)


def test_millisecond_times_keep_the_containers_rate(tmp_path):
    path = write_video(tmp_path / "a.mkv", MOVING, fps=Fraction(30000, 1001))
    assert probe(path).fps == pytest.approx(30000 / 1001, rel=1e-4)


@pytest.mark.skipif(not hasattr(VideoStream, "set_display_rotation"), reason="PyAV too old to write one")
def test_rotation(tmp_path):
    content = np.zeros((48, 64, 3), np.uint8)
    content[:16, :16] = 255  # top left
    path = write_video(tmp_path / "a.mp4", [content] * 3, rotation=90)  # counterclockwise: to the bottom left
    info = probe(path)
    frame = read_frames(path, info, [0])[0]
    assert (info.height, info.width) == frame.shape[:2] == (64, 48)
    assert frame[-8, 8].min() > 200
    assert frame[8, 8].max() < 50


def test_frames_outside_the_video(tmp_path):
    path = write_video(tmp_path / "a.mp4", MOVING[:5])
    for number in (5, -1):
        with pytest.raises(DataError, match=r"a\.mp4"):
            read_frames(path, probe(path), [number])


def reason(path) -> str:
    with pytest.raises(UnreadableError) as caught:
        probe(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_that_are_no_videos(tmp_path):
    (tmp_path / "text.mp4").write_text("not a video at all\n")
    (tmp_path / "empty.mp4").touch()
    assert reason(tmp_path / "text.mp4") == "not a video, or cut short: Invalid data found when processing input"
    assert reason(tmp_path / "empty.mp4") == "empty file"
    assert reason(write_audio(tmp_path / "sound.mp4")) == "no video stream (audio only)"


@pytest.mark.parametrize("muxer", [{}, {"movflags": "faststart"}], ids=["index last", "index first"])
@pytest.mark.parametrize("share", [0.6, 0.95])
def test_truncated_mp4(tmp_path, muxer, share):
    path = write_video(tmp_path / "a.mp4", MOVING, muxer=muxer, bf="2", g="10")
    expected = "of 40 frames are in the file" if muxer else "not a video, or cut short"
    assert expected in reason(truncate(path, share))


def test_truncated_webm_says_where_it_ends(tmp_path):
    path = write_video(tmp_path / "a.webm", MOVING * 2, codec="libvpx-vp9")
    assert "truncated" in reason(truncate(path, 0.6))


def test_damage_in_the_middle_is_an_error_that_names_the_file(tmp_path):
    path = write_video(tmp_path / "a.mp4", MOVING, g="10")
    info, content = probe(path), bytearray(path.read_bytes())
    middle = len(content) * 4 // 10
    content[middle : middle + 2000] = bytes(2000)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.mp4: "):
        read_frames(path, info, range(40))


def test_nothing_is_printed_about_broken_files(tmp_path, capfd):
    path = truncate(write_video(tmp_path / "a.mp4", MOVING, muxer={"movflags": "faststart"}), 0.5)
    capfd.readouterr()
    reason(path)
    assert capfd.readouterr() == ("", "")


def altered(path, packet: int, target):
    """A copy of a file of which the packet, by its number in the order of decoding, has its middle overwritten.

    All of it in H.264, whose decoder makes a picture of anything else.
    """
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
        codec = container.streams.video[0].codec_context.name
    position, size = packets[packet]
    if codec == "h264":
        content[position : position + size] = b"\xff" * size
    else:
        content[position + size // 3 : position + size * 2 // 3] = bytes(size * 2 // 3 - size // 3)
    target.write_bytes(content)
    return target


SPREADING = {
    "mpeg4": ("a.avi", {"codec": "mpeg4", "g": "12"}),
    "mpeg4 with B-frames in avi": ("a.avi", {"codec": "mpeg4", "g": "12", "bf": "2"}),
    "mpeg4 with B-frames": ("a.mp4", {"codec": "mpeg4", "g": "12", "bf": "2"}),
    "mpeg2 with open GOPs": ("a.mkv", {"codec": "mpeg2video", "g": "12", "bf": "2"}),
    "h264 with B-frames": ("a.mp4", {"bf": "3", "g": "12"}),
    "h264 with open GOPs": ("a.mp4", {"bf": "3", "x264-params": "open-gop=1:keyint=12:scenecut=0"}),
}


@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("kind", SPREADING)
@pytest.mark.parametrize("packet", [0, 13, 16, 24])
def test_damage_spreads_to_the_next_key_frame(tmp_path, kind, packet, seekable):
    """Frame by frame, as training reads: of each altered file, what is delivered is what was encoded."""
    name, options = SPREADING[kind]
    path = write_video(tmp_path / name, MOVING, **options)
    info, expected = dataclasses.replace(probe(path), seekable=seekable), decoded(path)
    bad = altered(path, packet, tmp_path / f"bad-{name}")
    refused = set()
    for number in range(40):
        try:
            (got,) = read_frames(bad, info, [number])
        except DataError:
            refused.add(number)
        else:
            assert np.array_equal(got, expected[number]), f"frame {number} is damaged"
    assert refused
    try:  # at once, it is refused as a whole, and for the same frames
        read_frames(bad, info, sorted(set(range(40)) - refused))
    except DataError:
        assert not info.seekable
    with pytest.raises(DataError):
        read_frames(bad, info, range(40))
    with pytest.raises(DataError, match="bad-"):
        check_file(bad, info)


class Frame:
    """As much of a decoded frame as `Damage` looks at."""

    def __init__(self, kind="P", pts=None, corrupt=False):
        self.is_corrupt, self.pts, self.key_frame = corrupt, pts, kind in ("I", "refreshed")
        self.pict_type = PictureType.I if kind == "I" else PictureType.P


def spoilt(frames):
    damage = Damage()
    return [damage.spoils(frame) for frame in frames]


def test_a_corrupt_frame_spoils_those_up_to_the_next_key_frame():
    frames = [Frame("I"), Frame(), Frame(corrupt=True), Frame(), Frame("I", corrupt=True), Frame(), Frame("I"), Frame()]
    assert spoilt(frames) == [False, False, True, True, True, True, False, False]


def test_a_predicted_frame_mends_nothing_whatever_it_is_called():
    assert spoilt([Frame(corrupt=True), Frame("refreshed"), Frame("I")]) == [True, True, False]


def test_key_frames_from_before_the_damage_mend_nothing():
    damage = Damage()
    damage.strike(12)  # in decoding order: key frame 9, then 12, which cannot be decoded
    assert [damage.spoils(Frame(kind, pts)) for kind, pts in (("I", 9), ("P", 10), ("I", 13))] == [True, True, False]


MATRICES = {
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "turned": (0, 1, -1, 0),
    "transposed": (0, 1, 1, 0),
}


@pytest.mark.parametrize("kind", MATRICES)
def test_display_matrix(tmp_path, kind):
    path = write_video(tmp_path / "a.mp4", MOVING[:3])
    plain = read_frames(path, probe(path), [1])[0]
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    a, b, c, d = (value * 0x10000 for value in MATRICES[kind])
    struct.pack_into(">9i", content, at, a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(content)
    info = probe(path)
    got = read_frames(path, info, [1])[0]
    expected = of_display_matrix((a, b, 0, c, d)).apply(plain)
    assert np.array_equal(got, expected)
    assert (info.height, info.width) == expected.shape[:2]


@pytest.mark.parametrize(("shape", "size"), [("2/1", (48, 128)), ("1/2", (96, 64)), ("4/3", (48, 85))])
def test_pixels_become_square(tmp_path, shape, size):
    path = write_video(tmp_path / "a.mkv", MOVING[:3], aspect=shape)
    info = probe(path)
    assert (info.height, info.width) == size
    assert read_frames(path, info, [2]).shape == (1, *size, 3)


def test_pixels_of_an_absurd_shape_are_taken_for_square_ones(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mkv", MOVING[:3], aspect="2/1")
    monkeypatch.setattr(decode, "WIDEST_PIXEL", Fraction(3, 2))
    assert probe(path).width == 64


@pytest.mark.parametrize(
    "name", ["a:b.mp4", "http:x.mp4", "x%03d.mp4", "-", "caf\udce9.mp4", "caf\udce9/a?b#c.mp4", "a b\n.mp4"]
)
def test_odd_names(tmp_path, monkeypatch, name):
    source = write_video(tmp_path / "source.mp4", MOVING[:5])
    (tmp_path / name).parent.mkdir(exist_ok=True)
    shutil.copy(source, tmp_path / name)
    monkeypatch.chdir(tmp_path)  # the name alone is the path
    assert read_frames(Path(name), probe(Path(name)), [4]).shape == (1, 48, 64, 3)


@pytest.mark.parametrize("content", ["ffconcat version 1.0\nfile good.mp4\n", "#EXTM3U\n#EXTINF:1,\ngood.mp4\n"])
def test_lists_of_files_are_no_videos(tmp_path, content):
    write_video(tmp_path / "good.mp4", MOVING[:5])
    (tmp_path / "a.mp4").write_text(content)
    assert "not a video" in reason(tmp_path / "a.mp4")


def test_too_many_pixels(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", MOVING[:5])
    monkeypatch.setattr("inrvid.data.decode.MOST_PIXELS", 48 * 64 - 1)
    assert "\n" not in reason(path)


def test_probing_keeps_no_packets(tmp_path):
    path = write_video(tmp_path / "a.avi", [moving(0, 480, 640)] * 20, codec="rawvideo", pixels="bgr24")
    assert path.stat().st_size > 18 * 10**6
    command = "import sys, resource, pathlib; from inrvid.data.probe import probe; "
    command += "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = peak(); "
    command += "probe(pathlib.Path(sys.argv[1])); print(peak() - before)"
    done = subprocess.run([sys.executable, "-c", command, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 12 * 1024
