"""Going on: what `test_checkpoint` and `test_processes` cannot bring about."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from inrvid import InrvidError
from inrvid.training import resuming
from inrvid.training.processes.group import NoAgreement

RUN = SimpleNamespace(recipe=SimpleNamespace(train=SimpleNamespace(init=None)), say=lambda *lines: None)


@pytest.mark.parametrize(
    ("error", "tried"), [(InrvidError("of another model"), ["b", "a"]), (NoAgreement("no"), ["b"])]
)
def test_processes_that_have_loaded_different_ones_try_no_other(monkeypatch, error, tried):
    """Each would try another number of them, and one would wait for ever."""
    found = []

    def load(run, checkpoint):
        found.append(checkpoint.name)
        raise error

    monkeypatch.setattr(resuming, "_load", load)
    with pytest.raises(type(error)):
        resuming.go_on_from(RUN, [Path("b"), Path("a")])
    assert found == tried
