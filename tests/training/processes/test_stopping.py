from __future__ import annotations

import os
import signal

import pytest
import torch.distributed as dist

from inrvid.training.processes.group import Group
from inrvid.training.processes.stopping import AskedToStop, Stopper


def test_first_signal_asks_second_acts_at_once():
    before = signal.getsignal(signal.SIGINT)
    with Stopper(Group()) as stopper:
        assert not stopper.agreed()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopper.agreed()
        assert stopper.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_can_be_done_later_is_left_at_a_signal():
    with Stopper(Group()) as stopper:
        stopper.check()
        stopper.ask()  # a callback's wish is no hurry
        stopper.check()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(AskedToStop, match=r"^SIGTERM asks the training to stop$"):
            stopper.check()


def test_a_signal_that_comes_while_processes_agree_is_heard_at_the_next_step(monkeypatch):
    group = Group()
    group._quick = object()
    stopper = Stopper(group)
    monkeypatch.setattr(dist, "all_reduce", lambda told, op, group: os.kill(os.getpid(), signal.SIGTERM))
    with stopper:
        assert not stopper.agreed()  # the others have not heard of it
        monkeypatch.setattr(dist, "all_reduce", lambda told, op, group: None)
        assert stopper.agreed()
        assert stopper.signal == signal.SIGTERM


def test_what_counts_for_more():
    """A failure more than a signal, that more than a callback's wish; of failures, that of the first process."""
    stopper = Stopper(Group())
    stopper.ask()
    assert stopper.agreed()
    assert (stopper.signal, stopper.failed) == (0, None)
    stopper._ask(signal.SIGHUP, None)
    stopper.ask()
    assert (stopper.signal, stopper.failed) == (signal.SIGHUP, None)
    codes = []
    for index in (1, 0):
        stopper.fail(index)
        stopper._ask(signal.SIGTERM, None)
        assert (stopper.signal, stopper.failed) == (0, index)
        codes.append(stopper._told)
    assert codes[1] > codes[0]
