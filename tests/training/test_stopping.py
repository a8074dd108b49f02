from __future__ import annotations

import os
import signal

import pytest

from inrvid.training.stopping import Stopper


def test_first_signal_asks_second_acts_at_once():
    before = signal.getsignal(signal.SIGINT)
    with Stopper() as stopper:
        assert not stopper.agreed()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopper.agreed()
        assert stopper.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
