from __future__ import annotations

import threading

import numpy as np
import pytest

from inrvid.video_io import behind
from inrvid.video_io.behind import PIECES


def test_in_order_in_another_thread_and_all_of_them():
    written, threads = [], set()

    def write(frames):
        threads.add(threading.get_ident())
        written.append(int(frames))

    with behind(write) as put:
        for i in range(50):
            put(np.array(i))
    assert written == list(range(50))
    assert threads != {threading.get_ident()}
    assert len(threads) == 1


def test_few_pieces_wait_for_a_slow_writer():
    """The next is refused until one is written."""
    go = threading.Event()
    taken = []

    def put_all(put):
        for i in range(PIECES + 1):
            put(np.array(i))
            taken.append(i)

    with behind(lambda frames: go.wait()) as put:
        filling = threading.Thread(target=put_all, args=[put])
        filling.start()
        filling.join(0.2)
        before = len(taken)
        go.set()
        filling.join()
    assert (before, len(taken)) == (PIECES, PIECES + 1)


def test_what_the_writer_raises_is_raised():
    def write(frames):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), behind(write) as put:
        put(np.array(0))
