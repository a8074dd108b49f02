from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from inrvid import registry


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package of callbacks, in this process and its children; returns its module, imported by a recipe or not."""
    site = tmp_path / "site"
    info = site / "moods-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("foreign.py"), site / "moods.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: moods\nVersion: 1.0\n")
    points = "".join(f"callbacks.{name.lower()} = moods:{name}\n" for name in ("Recorder", "Journal", "Moody"))
    (info / "entry_points.txt").write_text(f"[inrvid.plugins]\n{points}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(site)
    registry.plugins.cache_clear()
    yield
    registry.plugins.cache_clear()
    sys.modules.pop("moods", None)
