"""Writing videos: mp4, gif, or a folder of png frames; grids and strips to look at."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
from einops import rearrange
from torch import Tensor

from .errors import InrvidError
from .files import opened, refilling, replacing

FRAME = re.compile(r"[0-9]{6,}\.png")
"""Names of the frames in a folder."""

SIGNATURE = ("Software", "inrvid")
"""Text in each of them, by which they are known as ours."""

WRITABLE = (".mp4", ".gif", "")
"""Suffixes that `write_video` knows; none: a folder of png frames."""


def to_uint8(frames: Tensor) -> np.ndarray:
    """Frames `[..., 3, H, W]` in [−1, 1] → uint8 `[..., H, W, 3]`: ⌊127.5·x + 128⌋, clamped."""
    frames = (frames.detach().float() * 127.5 + 128).clamp_(0, 255).byte()
    return frames.movedim(-3, -1).cpu().numpy()


def grid(videos: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Videos `[B, T, H, W, 3]` side by side → one video `[T, H', W', 3]`; empty places are black."""
    columns = columns or math.ceil(math.sqrt(len(videos)))
    missing = -len(videos) % columns
    padded = np.concatenate([videos, np.zeros((missing, *videos.shape[1:]), videos.dtype)])
    return rearrange(padded, "(r c) t h w d -> t (r h) (c w) d", c=columns)


def strip(videos: np.ndarray, *, rows: int = 8, columns: int = 8) -> np.ndarray:
    """Videos `[B, T, H, W, 3]` → a picture: a row a video (the first ones), frames evenly spaced from left to right."""
    chosen = np.linspace(0, videos.shape[1] - 1, min(columns, videos.shape[1])).round().astype(int)
    return rearrange(videos[:rows, chosen], "b t h w d -> (b h) (t w) d")


def enlarge(picture: np.ndarray, factor: int) -> np.ndarray:
    """Each pixel of `[..., H, W, 3]` as `factor` × `factor` ones, for small models."""
    return picture.repeat(factor, axis=-3).repeat(factor, axis=-2)


def write_video(path: str | Path, video: np.ndarray, fps: float) -> None:
    """Write uint8 `[T, H, W, 3]` in the format of the path: .mp4 (H.264), .gif, or a folder of png frames, in which
    the frames take the place of those of an earlier video.

    Raises:
        InrvidError: another suffix, or a folder with numbered pictures that are not ours.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".mp4":
        with replacing(path) as temporary:
            _write_mp4(temporary, video, fps)
    elif suffix == ".gif":
        with replacing(path) as temporary:
            _write_gif(temporary, video, fps)
    elif not suffix:
        _write_frames(path, video)
    else:
        raise InrvidError(f"{path}: cannot write '{suffix}': use .mp4, .gif, or a folder name for png frames")


def write_image(path: str | Path, picture: np.ndarray) -> None:
    """Write uint8 `[H, W, 3]` as png."""
    from PIL import Image

    with replacing(Path(path)) as temporary:
        Image.fromarray(picture).save(temporary)


def _write_frames(folder: Path, video: np.ndarray) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    signed = PngInfo()
    signed.add_text(*SIGNATURE)
    with refilling(folder, _earlier_frames(folder)) as temporary:
        for i, frame in enumerate(video):
            Image.fromarray(frame).save(temporary / f"{i:06d}.png", pnginfo=signed)


def _earlier_frames(folder: Path) -> list[str]:
    """Names of the frames in a folder; InrvidError if one is not ours."""
    names = [path.name for path in folder.iterdir() if FRAME.fullmatch(path.name)] if folder.is_dir() else []
    mark = b"tEXt" + b"\0".join(part.encode() for part in SIGNATURE)
    for name in names:
        with opened(folder / name) as file:
            if mark not in file.read(256):
                raise InrvidError(f"{folder}: holds pictures that are not inrvid's ({name}): give another folder")
    return names


def _write_mp4(path: Path, video: np.ndarray, fps: float) -> None:
    import av

    # yuv420p, the format that every player shows, needs even sides: repeat the last row and column.
    height, width = video.shape[1:3]
    video = np.pad(video, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width, stream.pix_fmt = video.shape[1], video.shape[2], "yuv420p"
        # The same video is to be the same file: x264 with several threads, or with its tree of macroblocks (which
        # reads memory that nobody wrote), encodes it differently from run to run.
        stream.options = {"crf": "12", "preset": "medium", "x264-params": "mbtree=0"}
        stream.codec_context.thread_count = 1
        for picture in video:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode())


def _write_gif(path: Path, video: np.ndarray, fps: float) -> None:
    from PIL import Image

    pictures = [Image.fromarray(frame) for frame in video]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=gif_durations(len(video), fps), loop=0)


def gif_durations(frames: int, fps: float) -> list[int]:
    """Of each picture of a gif, in milliseconds: whole hundredths of a second, which add up to the video's length.

    At least 20, as browsers slow down what is faster than 50 pictures a second.
    """
    ends = [round(100 * (i + 1) / fps) for i in range(frames)]
    return [max(20, 10 * (end - start)) for start, end in zip([0, *ends], ends, strict=False)]
