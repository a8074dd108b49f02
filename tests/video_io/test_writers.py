from __future__ import annotations

import contextlib

import av
import numpy as np
import pytest
from PIL import Image

from inrvid import InrvidError
from inrvid.video_io import Encoding, check_video, write_video, writing
from inrvid.video_io.writers import FORMATS


def smooth_video(frames=6, height=32, width=48):
    t, y, x = np.meshgrid(np.arange(frames), np.arange(height), np.arange(width), indexing="ij")
    return np.stack([x * 4, y * 6, t * 20 + x], axis=-1).astype(np.uint8)


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


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".npz"])
def test_the_same_video_is_the_same_file(tmp_path, suffix):
    video = np.random.default_rng(0).integers(0, 256, (12, 64, 96, 3), np.uint8)
    video = np.concatenate([smooth_video(24, 64, 96), video])
    files = set()
    for _ in range(3 if suffix in (".webm", ".gif") else 10):
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


def test_one_frame_is_a_picture_and_more_are_refused(tmp_path):
    video = smooth_video()
    write_video(tmp_path / "a.png", video[2:3], fps=10)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), video[2])
    with pytest.raises(InrvidError, match=r"a\.png: a picture holds one frame, not 6: --frames 1, or"):
        write_video(tmp_path / "a.png", video, fps=10)
    with contextlib.suppress(KeyboardInterrupt), writing(tmp_path / "a.png", 10, 1) as write:
        write(video[:1])
        raise KeyboardInterrupt
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), video[2])
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


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


def test_unknown_suffix(tmp_path):
    with pytest.raises(InrvidError, match=r"cannot write '\.avi': use \.mp4, \.webm, \.gif, \.npz, or a folder"):
        write_video(tmp_path / "a.avi", smooth_video(), fps=10)


NAMES = ["a.mp4", "a.webm", "a.gif", "a.npz", "folder"]


def content(path):
    """Of a file, or of all in a folder."""
    return [file.read_bytes() for file in sorted(path.iterdir())] if path.is_dir() else path.read_bytes()


def decoded(path):
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


@pytest.mark.parametrize("name", NAMES)
def test_a_video_in_pieces_is_the_same_file(tmp_path, name):
    video = smooth_video(12)
    write_video(tmp_path / name, video, fps=10)
    whole = content(tmp_path / name)
    with writing(tmp_path / name, fps=10, count=12) as write:
        for piece in (video[:5], video[5:6], video[6:]):
            write(piece)
    assert content(tmp_path / name) == whole


def give_up(write):
    write(smooth_video(6))
    raise KeyError


@pytest.mark.parametrize("name", NAMES)
def test_what_is_given_up_leaves_what_was_there(tmp_path, name):
    write_video(tmp_path / name, smooth_video(3), fps=10)
    before = content(tmp_path / name)
    with pytest.raises(KeyError), writing(tmp_path / name, fps=10, count=12) as write:
        give_up(write)
    assert content(tmp_path / name) == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_lossless_is_lossless(tmp_path, suffix):
    """Of sides and colours that yuv420p would change."""
    video = np.random.default_rng(0).integers(0, 256, (5, 31, 47, 3), np.uint8)
    write_video(tmp_path / f"a{suffix}", video, fps=25, encoding=Encoding(lossless=True))
    assert np.array_equal(decoded(tmp_path / f"a{suffix}"), video)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_crf_is_quality_for_size(tmp_path, suffix):
    video = smooth_video(12, 64, 64)
    sizes = []
    for crf in (0, None, 45):
        write_video(tmp_path / f"a{suffix}", video, fps=25, encoding=Encoding(crf=crf))
        sizes.append((tmp_path / f"a{suffix}").stat().st_size)
    assert sizes[0] > sizes[1] > sizes[2]


def test_webm_keeps_frames_rate_and_picture(tmp_path):
    video = smooth_video(height=31, width=47)
    write_video(tmp_path / "a.webm", video, fps=12.5)
    with av.open(str(tmp_path / "a.webm")) as container:
        assert float(container.streams.video[0].average_rate) == 12.5
    assert np.abs(decoded(tmp_path / "a.webm")[:, :31, :47].astype(int) - video).mean() < 8


def count_until_broken(path):
    count = 0
    with contextlib.suppress(av.FFmpegError), av.open(str(path)) as container:
        for _ in container.decode(video=0):
            count += 1
    return count


def test_a_fragmented_mp4_is_whole_up_to_where_it_is(tmp_path):
    """And has an index in the end, as any other."""
    video = np.concatenate([smooth_video(100, 64, 64)] * 10)
    with writing(tmp_path / "a.mp4", 25, 1000, Encoding(fragmented=True)) as write:
        write(video)
        (partial,) = tmp_path.iterdir()
        assert count_until_broken(partial) >= 500
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].frames == 1000


def test_frames_as_jpg_take_the_place_of_those_as_png(tmp_path):
    video = smooth_video()
    write_video(tmp_path / "frames", video, fps=10)
    for some in (video, video[:2]):
        write_video(tmp_path / "frames", some, fps=10, encoding=Encoding(pictures="jpg"))
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == ["000000.jpg", "000001.jpg"]
    with Image.open(tmp_path / "frames" / "000001.jpg") as picture:
        assert np.abs(np.asarray(picture).astype(int) - video[1]).mean() < 4


def test_npz_is_an_array(tmp_path):
    write_video(tmp_path / "a.npz", smooth_video(), fps=12.5)
    with np.load(tmp_path / "a.npz") as arrays:
        assert np.array_equal(arrays["frames"], smooth_video())
        assert arrays["fps"] == 12.5
    with pytest.raises(ValueError, match="3 frames came, 4 were announced"), writing(tmp_path / "a.npz", 5, 4) as write:
        write(smooth_video(3))


@pytest.mark.parametrize(
    ("name", "encoding", "told"),
    [
        ("a.gif", Encoding(crf=0), "a.gif: crf is only for .mp4, .webm"),
        (
            "a.webm",
            Encoding(lossless=True, crf=0),
            "--lossless and --crf: a lossless file has no quality to choose: give one of them",
        ),
        ("frames", Encoding(lossless=True), "frames: lossless is only for .mp4, .webm"),
        ("a.mp4", Encoding(pictures="jpg"), "a.mp4: pictures is only for a folder"),
        ("a.mp4", Encoding(crf=52), "a.mp4: crf 52: an mp4's goes up to 51"),
    ],
)
def test_what_a_format_has_not_is_refused(tmp_path, monkeypatch, name, encoding, told):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InrvidError) as refused:
        write_video(name, smooth_video(), 10, encoding)
    assert str(refused.value) == told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_frames_too_wide_for_a_format_are_refused(tmp_path, name):
    with pytest.raises(InrvidError, match=r"cannot encode frames of 8x70000: smaller ones, or another format"):
        write_video(tmp_path / name, np.zeros((1, 8, 70000, 3), np.uint8), 25)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [suffix for suffix, known in FORMATS.items() if known.longest])
def test_the_longest_side_is_written_and_no_longer_one(tmp_path, suffix):
    path, side = tmp_path / f"a{suffix}", FORMATS[suffix].longest
    write_video(path, np.zeros((1, 8, side, 3), np.uint8), 25)
    check_video(path, 25, 1, size=(side, 8))
    with pytest.raises(InrvidError, match=rf"frames of {side + 2}x8: {suffix} holds up to {side} pixels a side"):
        check_video(path, 25, 1, size=(side + 2, 8))
    with pytest.raises((InrvidError, OSError)):
        write_video(path, np.zeros((1, 8, side + 2, 3), np.uint8), 25)


def test_frames_of_too_many_pixels_are_named_by_their_size(tmp_path):
    """libav does not take this size at all, and keeps none."""
    frames = np.broadcast_to(np.uint8(0), (1, 16384, 16384, 3))
    with pytest.raises(InrvidError, match="cannot encode frames of 16384x16384"):
        write_video(tmp_path / "a.mp4", frames, 25)
    for size in ((16384, 16384), (16384, 16129)):
        with pytest.raises(InrvidError, match="too many pixels"):
            check_video(tmp_path / "a.mp4", 25, 1, size=size)


def test_a_folder_of_jpgs_holds_what_a_jpg_does(tmp_path):
    check_video(tmp_path / "a", 25, 2, Encoding(pictures="png"), (65_600, 8))
    with pytest.raises(InrvidError, match="a jpg holds up to 65500 pixels a side"):
        check_video(tmp_path / "a", 25, 2, Encoding(pictures="jpg"), (65_600, 8))


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_file_says_which_colours_its_numbers_are(tmp_path, suffix, lossless):
    """Else players take a large video for BT.709, and show another red."""
    video = np.full((3, 720, 64, 3), (200, 30, 40), np.uint8)
    write_video(tmp_path / f"a{suffix}", video, fps=25, encoding=Encoding(lossless=lossless))
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        frame = next(container.decode(video=0))
    assert frame.colorspace == (0 if lossless else 6)  # RGB, or SMPTE 170M: the matrix of BT.601
    assert frame.color_range == (2 if lossless else 1)
    assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - video[0]).max() < 5
