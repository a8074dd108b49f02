"""Writing videos, and pictures to look at.

- writers: `writing`, a file or folder opened to be written a few frames at a time; `write_video`, a whole video;
- encoded: mp4 and webm; gif (libav: opens the encoder for both); frames: a folder of pictures; still: one of them; npz:
  an array;
- behind: writing while the next frames are computed;
- pictures: bytes from frames, grids and strips of videos.
"""

from .base import Encoding, Write
from .behind import behind
from .gif import gif_durations
from .pictures import enlarge, grid, strip, to_uint8, write_image
from .writers import WRITABLE, check_path, check_video, write_video, writing

__all__ = [
    "WRITABLE",
    "Encoding",
    "Write",
    "behind",
    "check_path",
    "check_video",
    "enlarge",
    "gif_durations",
    "grid",
    "strip",
    "to_uint8",
    "write_image",
    "write_video",
    "writing",
]
