"""`inrvid hub` as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from inrvid import build_generator

from ..models.hub_server import TOKEN, serving
from ..small import small_generator


@pytest.fixture
def run(tmp_path):
    build_generator(small_generator("inr_gan", "global")).save_pretrained(tmp_path / "run" / "model", clips=8)
    return tmp_path / "run"


@pytest.fixture
def inrvid(tmp_path):
    """A command in a process of its own, whose Hub is the one that is served."""
    with serving() as state:

        def call(*arguments, **environment):
            own = {
                "HF_ENDPOINT": state.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": TOKEN,
                "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                "NO_PROXY": "127.0.0.1,localhost", "COLUMNS": "200",
            }  # fmt: skip
            return subprocess.run(
                [sys.executable, "-m", "inrvid", *map(str, arguments)],
                env={**os.environ, **own, **environment}, cwd=tmp_path, capture_output=True, text=True, timeout=300,
            )  # fmt: skip

        call.hub = state
        yield call


def test_from_a_run_to_the_hub_and_back_to_another_s_folder(inrvid, run, tmp_path):
    pushed = inrvid("hub", "push", run, "me/scenes", "--license", "apache-2.0")
    assert pushed.returncode == 0, pushed.stderr
    page, commit = pushed.stdout.splitlines()
    assert page == f"{inrvid.hub.url}/me/scenes"
    assert commit.startswith(f"commit {page}/commit/")
    assert b"license: apache-2.0" in inrvid.hub.files["me/scenes", "README.md"]
    again = inrvid("hub", "push", run, "me/scenes", "--license", "apache-2.0")
    assert again.stdout.splitlines() == [page, commit.replace("commit ", "nothing has changed since ", 1)]
    listed = inrvid("hub", "list", "me")
    assert listed.stdout.split()[0] == "me/scenes"
    pulled = inrvid("hub", "pull", "me/scenes")
    assert pulled.stdout.strip() == "scenes", pulled.stderr
    card = inrvid("hub", "card", "scenes", "-o", "card.html")
    assert card.returncode == 0, card.stderr
    assert "data:video/mp4" in (tmp_path / "card.html").read_text()
    local = inrvid("hub", "list", tmp_path, "--json")
    assert [row["name"] for row in json.loads(local.stdout)] == ["scenes"]
    made = inrvid("generate", "me/scenes", "-o", "out.mp4", HF_HUB_OFFLINE="1")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "out.mp4").stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("push", "nothing", "me/scenes"), {}, "nothing: not a model: it has no config.json"),
        (("push", "run", "me/a/b"), {}, "REPO: 'me/a/b' is not the name of a repository"),
        (("push", "run", "me/scenes"), {"HF_TOKEN": "hf_old"}, "the token has expired"),
        (("pull", "me/nothing"), {}, "me/nothing: not on the Hub, or private"),
        (("card", "run"), {}, "config.json: not a model of inrvid: cannot be read"),
        (("list", "no/where"), {}, "no/where: no such folder, and not an owner on the Hub"),
        (("list", "nobody"), {}, "nobody: no models of inrvid"),
    ],
)
def test_one_line_and_exit_code_2(inrvid, run, arguments, environment, told):
    done = inrvid("hub", *arguments, **environment)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not inrvid.hub.repos
