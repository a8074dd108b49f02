"""Errors as they go from process to process."""

from __future__ import annotations

import pickle

from inrvid.errors import ConfigError


def test_a_configs_problems_go_with_it():
    error = ConfigError([(("lr",), "should be positive")], prefix=("optim",))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is ConfigError
    assert (str(again), again.problems) == (str(error), [(("optim", "lr"), "should be positive")])
