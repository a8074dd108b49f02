"""Groups of several processes are tested in test_processes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch.distributed as dist

from inrvid import InrvidError
from inrvid.training.processes import group
from inrvid.training.processes.group import Group, leave


def test_alone_nobody_is_waited_for():
    alone = Group()
    alone.wait()
    assert alone.most(3) == 3
    with alone.one_first(False):
        pass


@pytest.mark.parametrize(("backend", "ended"), [("gloo", ["patient", "quick", None]), ("nccl", ["patient", "quick"])])
def test_what_is_left(monkeypatch, backend, ended):
    """Gloo's threads must not outlive the interpreter, under NCCL either, which may wait for the dead itself."""
    found = []
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_backend", lambda: backend)
    monkeypatch.setattr(dist, "destroy_process_group", lambda own=None: found.append(own))
    monkeypatch.setattr(group, "_made", [SimpleNamespace(_quick="quick", _patient="patient")])
    leave()
    assert found == ended
    assert group._made == []


@pytest.mark.parametrize(
    ("others", "sharing"),
    [
        ([("here", {0, 1, 2, 3}), ("there", {0, 1, 2, 3}), ("there", {0, 1, 2, 3})], 2),  # of two machines
        ([("here", {4, 5}), ("here", {6, 7})], 1),  # each has CPUs of its own
    ],
)
def test_cpus_are_shared_by_those_that_have_the_same(monkeypatch, others, sharing):
    """Not by all processes of all machines."""
    own = ("here", {0, 1, 2, 3})

    def gather(into, mine, group):
        assert mine == own
        into[:] = [own, *others]

    alone = Group()
    assert alone.sharing() == 1
    alone._quick = "quick"
    monkeypatch.setattr(group.socket, "gethostname", lambda: own[0])
    monkeypatch.setattr(group.os, "sched_getaffinity", lambda process: own[1], raising=False)
    monkeypatch.setattr(dist, "get_world_size", lambda: 1 + len(others))
    monkeypatch.setattr(dist, "all_gather_object", gather)
    assert alone.sharing() == sharing


def test_the_main_process_may_take_its_time(monkeypatch):
    """Scoring may take longer than NCCL's ten minutes."""
    asked = []
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(dist, "new_group", lambda **keys: asked.append(keys) or "own")
    monkeypatch.setattr(group, "_made", [])
    Group()
    assert [keys["backend"] for keys in asked] == ["gloo", "gloo"]
    assert "timeout" not in asked[0]  # in which processes agree at each step
    assert asked[1]["timeout"].days >= 1


def test_processes_that_do_not_agree_end_together(monkeypatch):
    def gather(into, mine, group):
        into[:] = [mine, *["48 clips"] * 5]

    own = Group()
    own.agree("64 clips", "the checkpoint", "try again")  # alone
    own._quick = object()
    monkeypatch.setattr(dist, "get_world_size", lambda: 6)
    monkeypatch.setattr(dist, "all_gather_object", gather)
    own.agree("48 clips", "the checkpoint", "try again")
    told = r"on the checkpoint \(process 0: 64 clips; processes 1, 2, 3, 4 …: 48 clips\): try again$"
    with pytest.raises(InrvidError, match=told):
        own.agree("64 clips", "the checkpoint", "try again")
