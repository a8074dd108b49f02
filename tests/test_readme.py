"""What the README shows works as it is written there (its shell commands are run by hand, in a fresh clone)."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from inrvid import build_generator, load_recipe, registry
from inrvid.recipe.file import own_recipes

README = Path(__file__).parent.parent / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


def test_python_example(monkeypatch):
    monkeypatch.chdir(README.parent)
    code = next(block for block in blocks("python") if "from_pretrained" in block)
    scope: dict = {}
    try:
        exec(code, scope)
    finally:
        torch.set_grad_enabled(True)
    assert scope["frames"].shape == (4, 16, 3, 32, 32)
    assert scope["large"].shape == (4, 2, 3, 128, 128)
    assert scope["wide"].shape == (4, 2, 3, 48, 48)
    assert scope["between"].shape == (1, 16, 3, 32, 32)
    assert scope["same_motion"].shape == (4, 16, 3, 32, 32)


def test_plugin_example(tmp_path, monkeypatch):
    module = next(block for block in blocks("python") if "class WaveletMotion" in block)
    declared = next(block for block in blocks("toml") if "entry-points" in block)
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "wavelet.py").write_text(module)
    info = tmp_path / "my_package-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 0.1\n")
    entry = declared.strip().splitlines()[-1].replace('"', "")
    (info / "entry_points.txt").write_text(f"[inrvid.plugins]\n{entry}\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry.plugins.cache_clear()
    try:
        recipe = load_recipe("quickstart", ["generator.motion.type=wavelet", "generator.motion.period=8"])
        G = build_generator(recipe.generator)
        frames = G(G.sample_latents(2), torch.tensor([[0.0, 3.0]] * 2))
        frames.sum().backward()
        assert (frames[:, 0] - frames[:, 1]).abs().max() > 0.01
    finally:
        registry.plugins.cache_clear()
        sys.modules.pop("my_package.wavelet", None)


def test_recipe_example(tmp_path):
    text = next(block for block in blocks("yaml") if "my.yaml" in block)
    (tmp_path / "my.yaml").write_text(textwrap.dedent(text))
    recipe = load_recipe(tmp_path / "my.yaml")
    assert recipe.name == "my"
    assert recipe.generator.coords.type == "log"
    assert recipe.discriminator.resolution == 64


@pytest.mark.parametrize("command", re.findall(r"inrvid train [^\n`|&]*", README.read_text()))
def test_commands_name_recipes_and_keys_that_exist(command):
    words = command.split("#")[0].replace("\\", "").split()[2:]
    recipe = words[0].removeprefix("recipes/").removesuffix(".yaml")
    if recipe in own_recipes():
        load_recipe(recipe, [words[i + 1] for i, word in enumerate(words) if word == "--set"])


def test_the_page_on_scores_runs(capsys):
    page = (README.parent / "docs" / "evaluation.md").read_text()
    exec(re.search(r"```python\n(.*?)```", page, flags=re.DOTALL)[1], {})
    assert "PrecisionRecall" in capsys.readouterr().out
