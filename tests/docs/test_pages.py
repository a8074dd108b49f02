"""Every code block of README.md and docs/ is run: each page from top to bottom, in a folder of its own.

What a clone has (hub/, recipes/) and what pages begin with lies in that folder: `runs/quickstart/001`, `my_videos`,
`my_samples`, `video.mp4`. Python blocks of a page share their names. A block whose first line is the comment of a
file's name is that file; a table of entry points is a package that is installed. `<!-- not run: reason -->` before a
block leaves it out: then only what its commands name has to exist.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import torch
import yaml

from inrvid import load_recipe, registry
from inrvid.data.open import open_dataset
from inrvid.video_io import write_video

from .blocks import Block, blocks, commands
from .commands import ROOT, TINY, check_command, check_mentioned, run_command, run_inrvid

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"bash", "python", "yaml", "toml", "text"}


@pytest.fixture(scope="session")
def beginning(tmp_path_factory) -> Path:
    """What lies in each page's folder."""
    place = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "hub", place / "hub")
    (place / "recipes").symlink_to(ROOT / "recipes")
    data = load_recipe("quickstart").data
    for name, split in (("my_videos", "train"), ("my_samples", "test")):
        videos = open_dataset(data.model_copy(update={"split": split, "frames": 40, "resolution": 64}))
        for i in range(12):
            of_class = place / name / ("day", "dusk")[i % 2]
            of_class.mkdir(parents=True, exist_ok=True)
            write_video(of_class / f"{i:02d}.mp4", videos.read(i, range(40)), videos.fps)
    write_video(place / "video.mp4", open_dataset(data).read(3, range(16)), 25.0)
    changes = [word for change in (*TINY, "data.videos=16") for word in ("--set", change)]
    run_inrvid(["train", "quickstart", "--run-dir", str(place / "runs/quickstart/001"), *changes, "--cpu"])
    return place


@pytest.fixture
def place(beginning, tmp_path, monkeypatch) -> Path:
    shutil.copytree(beginning, tmp_path / "clone", symlinks=True)
    monkeypatch.chdir(tmp_path / "clone")
    monkeypatch.syspath_prepend(tmp_path / "clone")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path / "clone"
    torch.set_grad_enabled(True)
    registry.plugins.cache_clear()
    for kind in registry.REGISTRIES.values():
        kind._added.clear()
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_code_blocks_run(page, place, monkeypatch):
    names: dict = {"__name__": "__page__"}
    for block in blocks(page.read_text("utf-8")):
        where = f"{page}:{block.line}"
        assert block.language in LANGUAGES, f"{where}: '{block.language}' is none of {', '.join(sorted(LANGUAGES))}"
        print(where)  # the last one is what failed
        _run(block, where, names, place, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_within_sentences_exist(page):
    words = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for command in re.findall(r"`(inrvid [^`]+)`", words):
        check_mentioned(command)


def _run(block: Block, where: str, names: dict, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if block.file and not block.not_run:
        (place / block.file).parent.mkdir(parents=True, exist_ok=True)
        (place / block.file).write_text(block.text, "utf-8")
    if block.language == "bash":
        for command in commands(block.text):
            check_command(command) if block.not_run else run_command(command, monkeypatch)
    elif block.language == "python":
        code = compile(block.text, where, "exec")
        if not block.not_run:
            exec(code, names)
            _check_shapes(block.text, names)
    elif block.language == "yaml" and not block.not_run:
        _check_recipe(block, place)
    elif block.language == "toml":
        _install(block.text, place)


def _check_shapes(code: str, names: dict) -> None:
    """`x = …  # [4, 3]` is so."""
    for name, shape in re.findall(r"^\s*(\w+) = .*# (\[[\d, ]+\])", code, flags=re.MULTILINE):
        assert list(names[name].shape) == json.loads(shape), name


def _check_recipe(block: Block, place: Path) -> None:
    """A file is a recipe; keys alone are those of any."""
    data = yaml.safe_load(block.text)
    whole = block.file or "extends" in data or {"data", "generator"} <= set(data)
    load_recipe(place / block.file if block.file else data if whole else {"extends": "quickstart", **data})


def _install(text: str, place: Path) -> None:
    """What pip would note of a package that declares these entry points."""
    tables = re.findall(r'\[project\.entry-points\."?([\w.]+)"?\]\n((?:.+\n)*)', text)
    if tables:
        name = f"my_package_{len(list(place.glob('*.dist-info')))}"
        about = place / f"{name}-0.1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
        points = "".join(f"[{group}]\n{lines}\n" for group, lines in tables).replace('"', "")
        (about / "entry_points.txt").write_text(points)
        registry.plugins.cache_clear()
