"""A GIF that is cut short is told from a shorter one."""

from __future__ import annotations

import pytest

from inrvid.data.damage import UnreadableError
from inrvid.data.gif import check_whole_gif
from inrvid.data.probe import probe

from .making import moving, write_video


@pytest.fixture
def gif(tmp_path):
    return write_video(tmp_path / "a.gif", [moving(i) for i in range(12)], codec="gif", pixels="rgb8", fps=10)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.999])
def test_cut_short(gif, share):
    content = gif.read_bytes()
    gif.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UnreadableError, match="truncated"):
        probe(gif)


def test_cut_short_after_a_byte_that_looks_like_a_trailer(gif):
    content = gif.read_bytes()
    gif.write_bytes(content[: content.index(b";", 1000) + 1])
    assert gif.read_bytes().endswith(b";")
    with pytest.raises(UnreadableError, match="truncated"):
        probe(gif)


@pytest.mark.parametrize("after", [b"", bytes(5), bytes(10_000), b"\0trailing"])
def test_what_follows_the_end_does_not_matter(gif, after):
    gif.write_bytes(gif.read_bytes() + after)
    assert probe(gif).frames == 12


def test_what_is_no_block(gif):
    content = gif.read_bytes()
    image = content.index(b"\x2c", content.index(b"\x21\xf9"))
    gif.write_bytes(content[:image] + b"\x77" + content[image + 1 :])
    with pytest.raises(UnreadableError, match="broken: a GIF with a block of kind 0x77"):
        check_whole_gif(gif)
