"""The first frames of a file that libav writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InrvidError

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream


def begin(path: Path, container: OutputContainer, stream: VideoStream, frames: np.ndarray) -> None:
    """Open the encoder for frames of this size, unless it is open. Raises InrvidError if it cannot encode this size."""
    import av

    if stream.codec_context.is_open:
        return
    height, width = frames.shape[1:3]
    stream.height, stream.width = height, width
    try:
        container.start_encoding()
    except OSError:
        raise
    except av.FFmpegError:
        raise InrvidError(
            f"{path}: {stream.codec_context.codec.name} cannot encode frames of {height}x{width}: "
            "smaller ones, or another format"
        ) from None
