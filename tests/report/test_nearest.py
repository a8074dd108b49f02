"""The picture of nearest clips: what stands above what."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from inrvid.evaluation.clips import Clip, Source, Window
from inrvid.evaluation.nearest import Chosen, NearestPairs, Pair
from inrvid.report.captions import LINE
from inrvid.report.nearest import GAP, write_nearest

SHADES = {(0, 0): 40, (0, 1): 80, (1, 0): 120, (1, 1): 200}
"""Of the clips' pixels, by (pair, real)."""


class Plain(Source):
    """Clips of one shade, `size` pixels high and wide; it becomes lighter by one from frame to frame."""

    name, fingerprint = "plain", ""

    def __init__(self, size):
        self.size = size

    def choose(self, window, count):
        raise NotImplementedError

    def read(self, window, clips):
        first = torch.tensor([SHADES[clip] for clip in clips])[:, None] + torch.arange(window.frames)
        return (first[..., None, None, None] / 127.5 - 1).expand(-1, -1, 3, self.size, self.size)


@pytest.mark.parametrize(("size", "shown"), [(32, 128), (100, 100), (256, 128), (300, 150)])
def test_pairs_lie_below_each_other_generated_above_real(tmp_path, size, shown):
    pairs = [Pair(float(n), Chosen(Plain(size), Clip(n, 0)), Chosen(Plain(size), Clip(n, 1))) for n in range(2)]
    write_nearest(NearestPairs(Window(15), "random", (2, 2), pairs), tmp_path / "n.png")
    picture = np.asarray(Image.open(tmp_path / "n.png"))
    top = 2 * GAP + 3 * LINE
    for number in range(2):
        for real in range(2):
            row = picture[top + real * shown : top + (real + 1) * shown, GAP : GAP + 8 * shown]
            frames = row.reshape(shown, 8, shown, 3)
            expected = SHADES[number, real] + np.arange(0, 15, 2)  # 8 of 15 frames, the first and last among them
            assert (frames == expected[:, None, None]).all()
        top += 2 * shown + GAP + LINE
    assert len(picture) == top - LINE
    assert (picture[:, :GAP] == 255).all()
    assert (picture[GAP : GAP + 2 * LINE] < 128).any()  # there is text


def drawn(path, title):
    class Named(Plain):
        def title(self, clip):
            return title

    pairs = [Pair(0.0, Chosen(Named(16), Clip(0, 0)), Chosen(Named(16), Clip(0, 1)))]
    write_nearest(NearestPairs(Window(1), "random", (2, 2), pairs), path)
    return np.asarray(Image.open(path))


def test_the_picture_is_as_wide_as_its_text(tmp_path):
    assert drawn(tmp_path / "n.png", "x" * 400).shape[1] > 3000


def test_names_that_are_no_text_take_a_line(tmp_path):
    odd, plain = (drawn(tmp_path / "n.png", title) for title in ("a\nb\udcff\x1b", "a b\ufffd\ufffd"))
    assert np.array_equal(odd, plain)
