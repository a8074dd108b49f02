"""TorchScript is code: it is loaded by its sha256, or not at all."""

from __future__ import annotations

import pytest

from inrvid import InrvidError
from inrvid.registry import registry


def build(path=None):
    return registry("detectors").build({"type": "i3d_torchscript", **({"weights": str(path)} if path else {})})


def test_another_file_is_not_loaded(tmp_path):
    (tmp_path / "i3d.pt").write_bytes(b"PK\x03\x04 not the file")
    with pytest.raises(InrvidError, match=r"sha256 is \w{64}, bec6519f\w+ is expected: TorchScript is code"):
        build(tmp_path / "i3d.pt")


def test_a_missing_file_is_asked_for_with_its_sha256(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path))
    with pytest.raises(InrvidError, match=r"i3d_torchscript\.pt \(sha256 bec6519f.*fetch i3d_torchscript --from PATH"):
        build()
