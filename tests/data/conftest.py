from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Each test has a cache directory of its own."""
    directory = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("INRVID_CACHE", str(directory))
    return directory
