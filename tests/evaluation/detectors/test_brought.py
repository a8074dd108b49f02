"""Weights that a user brings: where they are looked for, what is said without them, and what is kept."""

from __future__ import annotations

import hashlib

import pytest
import torch
from safetensors.torch import save_file

from inrvid.errors import InrvidError
from inrvid.evaluation.detectors.base import NotHere
from inrvid.evaluation.detectors.brought import find_brought
from inrvid.evaluation.detectors.fetch import fetch
from inrvid.evaluation.detectors.sources import BROUGHT, cached
from inrvid.registry import registry

from ...cli.test_cli import inrvid, refusal
from .test_c3d import clips, state_dict

C3D = BROUGHT["c3d"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def file(tmp_path):
    torch.save(state_dict(), tmp_path / "mine.pth")
    return tmp_path / "mine.pth"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("c3d", ["c3d_ucf101.pth", "(no sha256 is known: records will name that of yours)"]),
        ("videomae", ["vit_g_hybrid_pt_1200e_ssv2_ft.pth", "no sha256 is known"]),
        ("i3d_torchscript", ["i3d_torchscript.pt", f"sha256 {BROUGHT['i3d_torchscript'].sha256}"]),
    ],
)
def test_what_is_missing_is_said_in_a_line_with_what_to_do(name, told):
    for act in (lambda: registry("detectors").build({"type": name}), lambda: fetch(BROUGHT[name])):
        with pytest.raises(NotHere) as error:
            act()
        message = str(error.value)
        assert "\n" not in message
        for part in (*told, f"inrvid detectors fetch {name} --from PATH"):
            assert part in message


def test_what_is_brought_is_kept_as_it_is_and_found(file, cache):
    kept = fetch(C3D, file)
    assert [path for path in cache.rglob("*") if path.is_file()] == [kept] == [cached(C3D)]
    assert kept.read_bytes() == file.read_bytes()
    detector = registry("detectors").build({"type": "c3d"})
    assert detector.digest.sha256 == sha256(file)
    given = registry("detectors").build({"type": "c3d", "weights": str(file)})
    assert detector.digest == given.digest
    assert torch.equal(detector.features(clips()), given.features(clips()))


def test_what_does_not_fit_is_not_kept(file, tmp_path):
    kept = fetch(C3D, file).read_bytes()
    other = tmp_path / "other.safetensors"
    save_file({name: value for name, value in state_dict().items() if name != "fc7.bias"}, other)
    with pytest.raises(InrvidError, match=r"other.safetensors: .*fc7.bias is not among them"):
        fetch(C3D, other)
    assert cached(C3D).read_bytes() == kept


def test_a_script_is_kept_by_its_sha256_alone(tmp_path, cache):
    (tmp_path / "i3d.pt").write_bytes(b"PK\x03\x04 not the file")
    with pytest.raises(InrvidError, match=r"i3d.pt: sha256 is \w{64}, bec6519f\w+ is expected: TorchScript is code"):
        fetch(BROUGHT["i3d_torchscript"], tmp_path / "i3d.pt")
    assert not cache.exists()


def test_the_sha256_that_is_asked_for(file):
    assert find_brought(C3D, str(file), sha256(file))[1] == sha256(file)
    with pytest.raises(InrvidError, match=r"its sha256 is .*, not 0000.* as asked for"):
        find_brought(C3D, str(file), "0" * 64)


class Code:
    def __reduce__(self):
        return print, ("the file was run",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        (b"", "not a state dict"),
        ("code", r"it holds '(builtins\.)?print': only tensors by name are read"),
        (b"\x02\0\0\0\0\0\0\0{x", "not a safetensors file"),
    ],
)
def test_files_of_something_else(tmp_path, content, message, capsys):
    path = tmp_path / "w"
    if content == "code":
        torch.save({"conv1.bias": Code()}, path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InrvidError, match=message) as error:
        find_brought(C3D, str(path))
    assert str(error.value).startswith(f"{path}: ")
    assert capsys.readouterr().out == ""


def test_the_command_line(tmp_path, file):
    shown = inrvid("detectors", "list", cwd=tmp_path).stdout
    assert "c3d_ucf101.pth, of whoever has tuned C3D" in shown
    assert "not here: inrvid detectors fetch c3d --from PATH" in shown
    told = refusal("detectors", "fetch", "videomae", cwd=tmp_path)
    assert "vit_g_hybrid_pt_1200e_ssv2_ft.pth" in told
    fetched = inrvid("detectors", "fetch", "c3d", "--from", file, cwd=tmp_path).stdout.strip()
    assert fetched == str(cached(C3D))
    assert fetched in inrvid("detectors", "list", cwd=tmp_path).stdout
