"""`inrvid plugins`: packages of any kind are made, checked, looked at; what is wrong with one is named in a line."""

from __future__ import annotations

import json

import pytest

from inrvid.starter.make import KINDS

from ..starting import installed, made
from .test_cli import inrvid, refusal


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_passes_its_checks(kind, tmp_path):
    written = inrvid("plugins", "new", "inrvid-own", "--kind", kind, cwd=tmp_path).stdout
    assert "pip install -e inrvid-own && inrvid plugins check inrvid-own" in written
    with installed(tmp_path / "inrvid-own"):
        checked = inrvid("plugins", "check", "inrvid-own", "--quick", cwd=tmp_path).stdout.splitlines()
    assert checked[-2:-1] == ["recipe own_landscapes_32: is valid: ok"]
    assert checked[-1] == f"{len(checked) - 1} passed"
    assert len(checked) > 5


BROKEN = {
    "raises at import": (
        {"import math\n": "import math\nimport no_such_module\n"},
        "imports: FAILED: motion 'own' comes",
    ),
    "wrong shape": (
        {"self.linear(state)": "self.linear(state)[:, :1]"},
        "codes: the shape is [2, 1, 8], expected [2, 3,",
    ),
    "no gradient": (
        {"self.offset(noise)": "self.offset(noise.detach()).detach()"},
        "no gradient reaches motion.offset.",
    ),
    "global randomness": (
        {"draws.normal(self.z_dim)": "torch.randn(len(draws), self.z_dim)"},
        "calling it in training changes the global random state of torch",
    ),
    "taken name": ({"motions.own": "motions.global"}, "motion 'global' is the library's own: that of inrvid-own 0.1.0"),
    "for a newer library": (
        {"inrvid>=0.1,<1": "inrvid>=9"},
        "has its name: FAILED: motion 'own' comes from inrvid-own",
    ),
    "recipe": ({"waves: Count": "wawes: Count"}, "'Config' object has no attribute 'waves'"),
}


@pytest.mark.parametrize(("changes", "told"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named_in_a_line(changes, told, tmp_path):
    with installed(made(tmp_path / "inrvid-own", "motion", changes)):
        result = inrvid("plugins", "check", "inrvid-own", "--quick", cwd=tmp_path, check=False)
        listed = inrvid("plugins", "list", cwd=tmp_path)
        schema = json.loads(inrvid("recipe", "schema", cwd=tmp_path).stdout)
        inrvid("train", "quickstart", "--dry-run", cwd=tmp_path)
    assert result.returncode == 1
    assert [line for line in result.stdout.splitlines() if told in line and "FAILED" in line]
    assert "own" in listed.stdout + listed.stderr
    assert schema["properties"]["generator"]["anyOf"]


def test_nothing_to_check(tmp_path):
    assert "no package 'inrvid-none' that is installed" in refusal("plugins", "check", "inrvid-none", cwd=tmp_path)
    with installed(made(tmp_path / "inrvid-own", "augment")):
        assert "Did you mean 'inrvid-own'?" in refusal("plugins", "check", "inrvid-owm", cwd=tmp_path)


def test_info(tmp_path):
    with installed(made(tmp_path / "inrvid-own", "motion")):
        about = json.loads(inrvid("plugins", "info", "own", "--json", cwd=tmp_path).stdout)
        shown = inrvid("plugins", "info", "motions.own", cwd=tmp_path).stdout
    assert about["package"] == "inrvid-own 0.1.0"
    assert about["class"] == "inrvid_own.own:OwnMotion"
    assert about["summary"] == "Waves of several periods, whose phases are the video's own"
    assert [key["name"] for key in about["keys"]] == ["waves", "shortest"]
    assert about["keys"][1] == {
        "name": "shortest",
        "type": "number > 0",
        "default": 16.0,
        "required": False,
        "description": "shortest period, frames; the longest is 16 times as long",
    }
    assert "integer ≥ 1" in shown
    generator = json.loads(inrvid("plugins", "info", "inr_gan", "--json", cwd=tmp_path).stdout)
    types = {key["name"]: key["type"] for key in generator["keys"]}
    assert types["motion"] == "a motion"
    assert types["half_dtype"] == "float16 or bfloat16"
    assert "is one of detectors and of metrics" in refusal("plugins", "info", "statistics", cwd=tmp_path)
    assert "Did you mean 'conv1d'?" in refusal("plugins", "info", "conv1", cwd=tmp_path)
    assert "Did you mean 'motions'?" in refusal("plugins", "info", "motion.conv1d", cwd=tmp_path)
