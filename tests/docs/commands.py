"""Commands of the pages: those of inrvid run in this process, made quick; the others in a shell."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from inrvid import InrvidError, load_recipe
from inrvid.cli import app, run
from inrvid.recipe.file import own_recipes

ROOT = Path(__file__).parents[2]
TINY = ["train.kclips=0.02", "train.batch_size=4", "train.sample_videos=2", "eval.clips=8", "data.workers=0"]
TRAINED = 64
"""Recipes of this size or less are trained for a few steps; of others it is shown what they resolve to."""
QUICK = {
    "analyze": "--videos 2 --frames 8",
    "evaluate": "--metrics statistics --set clips=8 --force",
    "generate": "--processes 1",
    "interpolate": "",
    "predict": "--steps 2 --distance pixels",
    "project": "--steps 2 --distance pixels",
}
"""What is said behind a command; of what is said twice, the last counts."""
ELSEWHERE = {"accelerate", "docker", "git", "hf", "nohup", "pip", "pytest", "sbatch", "scontrol", "srun", "torchrun"}
"""Commands of blocks that cannot run."""
ONLINE = {("detectors", "fetch"), ("edit", "text"), ("explore",), ("hub", "pull"), ("hub", "push")}
"""And those of inrvid: they need a network, or serve."""


def run_command(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the working directory, quickly. Fails the test if the command does."""
    parts = list(_parts(command))
    if not any(words[0] in ("cd", "inrvid") for words, _ in parts):
        _shell(command)
        return
    for words, output in parts:
        if words[0] == "inrvid":
            run_inrvid(_quickened(words[1:]), output)
        elif words[0] == "cd":
            monkeypatch.chdir(words[1])
        else:
            _shell(shlex.join(words))


def check_command(command: str) -> None:
    """Of a command that is not run: what it says to inrvid exists."""
    for words, _ in _parts(command):
        if "inrvid" in words:
            _check(words[words.index("inrvid") + 1 :])


def _parts(command: str) -> Iterator[tuple[list[str], str | None]]:
    """(words, file of the output) of what `&&` and `;` join, up to a pipe; `python -m inrvid` is inrvid."""
    lexer = shlex.shlex(command.partition("\n")[0], posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    ends = [[]]
    for word in lexer:
        if re.fullmatch(r"[|&;]+", word):
            ends.append([word])
        else:
            ends[-1].append(word)
    for end in ends:
        words = [word for word in end if not re.fullmatch(r"[&;]+", word)]
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words[:3] == ["python", "-m", "inrvid"]:
            words = words[2:]
        at = words.index(">") if ">" in words else len(words)
        if words and not words[0].startswith("|"):
            yield words[:at], (words[at + 1] if at < len(words) else None)


def check_mentioned(command: str) -> None:
    """Of a command within a sentence, which may leave out what it is of: it exists, and its options, and its recipe."""
    arguments = command.replace("…", "").split()[1:]
    _, found, rest = _resolved(arguments)
    options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in rest if re.match(r"--?[a-z]", word) and word not in {*options, "--debug", "--help"}]
    assert not unknown, f"{command}: no {', '.join(unknown)}"
    if arguments[0] == "train" and arguments[1:] and arguments[1] in own_recipes():
        _recipe(arguments[1], [arguments[i + 1] for i, word in enumerate(arguments) if word == "--set"], None)


def _resolved(arguments: list[str]) -> tuple[Any, Any, list[str]]:
    """(the context above it, a command, its own arguments)."""
    command: Any = typer.main.get_command(app)
    context = above = command.context_class(command, info_name="inrvid")
    while hasattr(command, "resolve_command") and arguments:
        try:
            name, command, arguments = command.resolve_command(context, list(arguments))
        except Exception as error:
            pytest.fail(_told(error, arguments))
        above, context = context, command.context_class(command, parent=context, info_name=name)
    return above, command, arguments


def _check(arguments: list[str]) -> None:
    above, command, rest = _resolved(arguments)
    try:
        given = command.make_context(arguments[0], list(rest), parent=above).params
    except Exception as error:
        pytest.fail(_told(error, arguments))
    if arguments[0] == "train":
        _recipe(given["recipe"], given["overrides"], given["data"])


def _told(error: Exception, arguments: list[str]) -> str:
    return f"inrvid {' '.join(arguments)}: {error.format_message() if hasattr(error, 'format_message') else error}"


def _recipe(name: str, changes: list[str], data: str | None) -> Any:
    """The recipe, on data if they are here; None: it is a package's, of plugins/ or one that the page has made."""
    if any([*ROOT.glob(f"plugins/*/*/recipes/{name}.yaml"), *Path().glob(f"*/*/recipes/{name}.yaml")]):
        return None
    given = [("data.path", str(Path(data).resolve()))] if data and Path(data).exists() else []
    try:
        return load_recipe(name, [*given, *changes])
    except InrvidError as error:
        pytest.fail(f"inrvid train {name}: {error}")


def run_inrvid(arguments: list[str], output: str | None = None) -> None:
    """The command, its output into a file if one is named."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(sys, "argv", ["inrvid", *arguments])
        if output is not None:
            stack.enter_context(contextlib.redirect_stdout(stack.enter_context(Path(output).open("w"))))
        ended = stack.enter_context(pytest.raises(SystemExit))
        run(app)
    assert not ended.value.code, f"inrvid {' '.join(arguments)}: exit code {ended.value.code}"


def _quickened(arguments: list[str]) -> list[str]:
    if {tuple(arguments[:1]), tuple(arguments[:2])} & ONLINE:
        _refuse("inrvid " + " ".join(arguments))
    return _train(arguments) if arguments[0] == "train" else [*arguments, *_quick(arguments)]


def _quick(arguments: list[str]) -> list[str]:
    """What is added, with the runs laid out that it is of."""
    for word in arguments:
        if word.startswith("runs/"):
            lay_out(Path(word) if not Path(word).suffix else Path(word).parent)
    if "--leaderboard" in arguments:
        return []
    shorter = ["--seconds", "1"] if arguments[0] == "generate" and "--seconds" in arguments else []
    return [*QUICK.get(arguments[0], "").split(), *shorter]


def _train(arguments: list[str]) -> list[str]:
    """A few steps of what is small; of the rest what it resolves to, and a finished run in its place."""
    if "--dry-run" in arguments:
        return arguments
    given = {name: arguments[i + 1] for i, name in enumerate(arguments[:-1]) if name.startswith("--")}
    changes = [arguments[i + 1] for i, name in enumerate(arguments) if name == "--set"]
    recipe = _recipe(arguments[1], changes, given.get("--data"))
    if recipe is None:
        pytest.fail(f"{arguments[1]} is a package's recipe, which is not installed: mark the block")
    if recipe.generator.resolution <= TRAINED:
        return [*arguments, *(word for change in TINY for word in ("--set", change)), "--processes", "1"]
    lay_out(Path(given.get("--run-dir", f"runs/{recipe.name}/001")))
    if not Path(given.get("--data", ".")).exists():
        at = arguments.index("--data")
        arguments = arguments[:at] + arguments[at + 2 :]
    return [*arguments, "--dry-run"]


def lay_out(run: Path) -> None:
    """A run that a page speaks of and did not train itself: a copy of the tiny one."""
    if not run.exists():
        shutil.copytree("runs/quickstart/001", run)


def _refuse(command: str) -> None:
    pytest.fail(f"'{command}' cannot run here: write <!-- not run: reason --> before the block")


def _shell(command: str) -> None:
    if set(re.findall(r"[\w-]+", command.partition("\n")[0])) & ELSEWHERE:
        _refuse(command)
    places = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    subprocess.run(["bash", "-ec", command], check=True, timeout=120, env={**os.environ, **places})
