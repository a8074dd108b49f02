"""Protocols that packages bring: found by name without an import, refused with the package's name."""

from __future__ import annotations

import json
import sys

import pytest

from inrvid import InrvidError, load_recipe
from inrvid.evaluation.protocol import load_protocol
from inrvid.evaluation.protocol_files import PROTOCOLS
from inrvid.evaluation.record import read_record
from inrvid.registry import registry
from inrvid.video_io import write_video

from ..cli.test_cli import inrvid
from ..packages import install_files

QUICK = "name: {}\nclips: 300\nhalves: 0\ndescription: for a look\nmetrics: [{{type: statistics}}]\n"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A place that packages are installed in."""
    folder = tmp_path / "site"
    monkeypatch.syspath_prepend(folder)
    return folder


def install(site, package="lab", points="lab = lab.protocols", **files):
    return install_files(site, "inrvid.protocols", package, points, **files)


def test_a_package_s_protocol_is_found_by_name_and_nothing_is_imported(site):
    install(site, quick=QUICK.format("quick"), slow=QUICK.format("slow"))
    assert {"inrvid", "quick", "slow"} <= set(PROTOCOLS.claims())
    protocol, variant = load_protocol("quick", ["clips=400"])
    assert (protocol.name, protocol.package, variant) == ("quick", ("lab", "1.2"), {"clips": 400})
    assert load_protocol("inrvid")[0].package[0] == "inrvid"
    assert "lab" not in sys.modules


def test_a_file_of_its_own_is_no_package_s(site, tmp_path):
    (tmp_path / "mine.yaml").write_text(QUICK.format("inrvid"))
    assert load_protocol(str(tmp_path / "mine.yaml"))[0].package == ("", "")


def test_a_folder_beside_the_package_in_another_place(site, tmp_path, monkeypatch):
    """An editable installation: the metadata lie in one folder, the package in another."""
    folder = install(site, quick=QUICK.format("quick"))
    (tmp_path / "source").mkdir()
    folder.parent.rename(tmp_path / "source" / "lab")
    assert PROTOCOLS.find("quick") is None
    monkeypatch.syspath_prepend(tmp_path / "source")
    assert PROTOCOLS.find("quick").path == tmp_path / "source" / "lab" / "protocols" / "quick.yaml"


def test_two_claims_of_one_name_are_refused(site):
    install(site, quick=QUICK.format("quick"), other=QUICK.format("other"))
    install(site, "rival", "r = rival.protocols", quick=QUICK.format("quick"))
    with pytest.raises(InrvidError, match=r"'quick' is claimed by lab 1\.2 and rival 1\.2: uninstall"):
        load_protocol("quick")
    assert load_protocol("other")[0].name == "other"


def test_a_name_of_the_library_s_own_stays_its_own(site):
    install(site, "rival", "r = rival.protocols", inrvid=QUICK.format("inrvid"))
    told = "protocol 'inrvid' is the library's own: that of rival 1.2 is ignored"
    with pytest.warns(UserWarning, match=told):
        assert load_protocol("inrvid")[0].package[0] == "inrvid"
    assert PROTOCOLS.ignored() == [told]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: quick\nmetrics: [{type: statistics}\n", r"quick\.yaml:3  not YAML"),
        (QUICK.format("quick") + "clipz: 3\n", r"quick\.yaml: clipz: unknown key. Did you mean 'clips'"),
        (QUICK.format("inrvid"), r"quick\.yaml: name: is 'inrvid', the file's is 'quick'"),
        ("just text", r"quick\.yaml: expected a protocol"),
    ],
)
def test_a_broken_file_is_told_in_a_line_with_its_package(site, text, told):
    install(site, quick=text)
    with pytest.raises(InrvidError, match=rf"^lab 1\.2, .*{told}"):
        load_protocol("quick")


@pytest.mark.parametrize("value", ["nothing_there.protocols", "lab.nothing", "lab.protocols:Class", "..", "json"])
def test_entry_points_without_protocols_are_told_and_break_nothing(site, value):
    install(site, points=f"odd = {value}", quick=QUICK.format("quick"))
    assert PROTOCOLS.ignored() == [f"odd of lab 1.2: no package {value} with *.yaml files"]
    assert load_protocol("inrvid")[0].name == "inrvid"


def test_a_recipe_names_it_and_keeps_the_name(site):
    install(site, quick=QUICK.format("quick"))
    recipe = load_recipe("quickstart", ["eval.protocol=quick"])
    assert (recipe.eval.protocol, recipe.eval.clips) == ("quick", 300)


def test_the_command(site, tmp_path, monkeypatch):
    install(site, quick=QUICK.format("quick"), broken="name: [")
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))
    data = registry("datasets").build(
        {"type": "procedural", "resolution": 16, "videos": 4, "frames": 16, "clip_length": 2}
    )
    for video in range(len(data)):
        write_video(tmp_path / "real" / f"{video}.mp4", data.read(video, range(16)), fps=25)
    asked = ["evaluate", "real", "--against", "real", "--force", "--cpu", "-o", "record.json", "--protocol"]
    assert "protocol quick 1 (lab 1.2)" in inrvid(*asked, "quick", cwd=tmp_path).stdout
    record = read_record(tmp_path / "record.json")
    assert (record.protocol, record.protocol_package, record.protocol_package_version) == ("quick", "lab", "1.2")
    refused = inrvid(*asked, "quik", cwd=tmp_path, check=False)
    assert refused.returncode == 2
    assert f"one of {', '.join(PROTOCOLS.claims())}. Did you mean 'quick'?" in refused.stderr
    listed = json.loads(inrvid("plugins", "list", "protocols", "--json", cwd=tmp_path).stdout)["protocols"]
    found = {row["name"]: row for row in listed if "name" in row}
    assert {"package": "lab", "version": "1.2", "summary": "for a look"}.items() <= found["quick"].items()
    assert ["broken: lab 1.2, " in row["error"] for row in listed if "error" in row] == [True]
    assert "Did you mean 'protocols'" in inrvid("plugins", "list", "protocol", cwd=tmp_path, check=False).stderr
