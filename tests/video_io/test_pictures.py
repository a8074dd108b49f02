from __future__ import annotations

import numpy as np
import torch

from inrvid.video_io import enlarge, grid, strip, to_uint8


def test_to_uint8_rounds_and_clamps():
    values = torch.tensor([-2.0, -1.0, 0.0, 0.999, 1.0, 2.0])
    frames = values.view(6, 1, 1, 1).expand(6, 3, 2, 2)
    assert to_uint8(frames)[:, 0, 0, 0].tolist() == [0, 0, 128, 255, 255, 255]
    assert to_uint8(frames).shape == (6, 2, 2, 3)


def test_grid_and_strip():
    videos = np.arange(3 * 4).reshape(3, 4, 1, 1, 1).repeat(3, axis=-1).astype(np.uint8)
    tiled = grid(videos)  # 2 × 2, one place empty
    assert tiled.shape == (4, 2, 2, 3)
    assert tiled[1, :, :, 0].tolist() == [[1, 5], [9, 0]]
    assert strip(videos, rows=2, columns=4)[:, :, 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert strip(videos, rows=1, columns=2)[:, :, 0].tolist() == [[0, 3]]
    assert enlarge(tiled, 3).shape == (4, 6, 6, 3)
