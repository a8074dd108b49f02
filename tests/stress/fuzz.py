"""Spoil the files and command lines that the library reads, and see that each costs a line at most.

    python -m tests.stress.fuzz [KIND…] [--count 2000] [--seed 0]

Each trial is a process of its own, forked, so that nothing is imported again: it must end within 30 seconds and 4 GiB,
with exit code 0 or 2 and no traceback. JSON and YAML are spoilt by their structure (a value of another type, size or
depth, a key that is gone or twice) and by their bytes, all else by its bytes. What falls short is printed with the
seed that makes it again.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import dataclasses
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import inrvid.cli
from inrvid import load_recipe
from inrvid.training.run_dir import find_start, refuse_another_model
from inrvid.training.trainer import Trainer
from inrvid.video_io import write_image, write_video

from ..training.conftest import TINY

SECONDS, BYTES = 30, 4 * 2**30

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3.5, -0.0, 1e308, 1e-320, float("nan"), float("inf"), 10**12, 10**30,
    -(2**63), 2**64, "", "a", "1", "inr_gan", "quickstart", "../../x", "/etc/passwd", "/dev/zero", "a\0b",
    "\ud800", "\x1b[2J", "é" * 300, "x" * 100_000, [], {}, [1], [[1, 2], [3]], {"type": "global"},
    {"type": "x"}, {"a": {"b": 1}}, ["a"] * 1000, [0, 0],
]  # fmt: skip
"""What may stand where something else did."""

TEXTS = [
    "~", "yes", ".inf", ".nan", "1e400", "2001-01-01", "0x_", "0o8", "1:30", "!!int abc",
    "!!python/name:os.system x", "!!binary '#'", "!!set {a}", "&a [*a]", "*b", "[" * 3000, "{a: {b: {c: 1}}}",
    "|", ">", "'", '"\\ud800"', "<<: 5", "? [a]", "- - - 1", "#", "%TAG ! x", "---", "...", "9" * 5000, "\t",
    "1e-320", "[1, [2, [3]]]",
]  # fmt: skip
"""What may stand for a value in YAML, beside the values."""


def spoil_bytes(data: bytes, chance: random.Random) -> bytes:
    """A few of: flipped bits, other bytes, zeros, cut short, a piece twice, a piece gone."""
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        if not content:
            break
        at, length = chance.randrange(len(content)), chance.choice((1, 2, 4, 8, 64, 400))
        match chance.randrange(7):
            case 0:
                content[at] ^= 1 << chance.randrange(8)
            case 1:
                content[at : at + length] = chance.randbytes(length)
            case 2:
                content[at : at + length] = b"\0" * length
            case 3:
                content[at : at + length] = b"\xff" * length
            case 4:
                del content[at:]
            case 5:
                content[at:at] = content[at : at + length]
            case 6:
                del content[at : at + length]
    return bytes(content)


def places(data: Any) -> list[tuple[Any, Any]]:
    """(container, key or index) of everything in nested data."""
    found: list[tuple[Any, Any]] = []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found += [(data, key), *places(value)]
    return found


def spoil_json(content: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.2:
        return spoil_bytes(content, chance)
    if chance.random() < 0.05:
        return chance.choice([b"[" * 100_000, b'{"a":' * 100_000, b"", b"null", b"\xff", b"9" * 100_000, b"[]", b'"x"'])
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):  # spoilt before
        return spoil_bytes(content, chance)
    for _ in range(chance.choice((1, 1, 2, 3))):
        container, key = chance.choice(places(data) or [([data], 0)])
        match chance.randrange(6):
            case 0:
                del container[key]
            case 1 if isinstance(container, dict):
                container[chance.choice(["x", "type", "", "\0", "clips"])] = container[key]
            case 2 if isinstance(container[key], int | float) and not isinstance(container[key], bool):
                container[key] *= chance.choice((-1, 2, 1e3, 1e15, 0.001))
            case _:
                container[key] = copy.deepcopy(chance.choice(VALUES))
    text = json.dumps(data)
    return text.replace('"a"', "9" * 5000 if chance.random() < 0.01 else '"a"').encode()


def spoil_lines(content: bytes, chance: random.Random) -> bytes:
    """JSON, a line each."""
    lines = content.splitlines()
    for _ in range(chance.choice((1, 2))):
        at = chance.randrange(len(lines))
        lines[at] = spoil_json(lines[at], chance)
    return b"\n".join(lines) + chance.choice((b"\n", b""))


def spoil_yaml(content: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.15:
        return spoil_bytes(content, chance)
    lines = content.decode().splitlines()
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(lines))
        key, colon, _ = lines[at].partition(": ")
        match chance.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[chance.randrange(len(lines))])
            case 2:
                lines[at] = "  " + lines[at]
            case 3:
                lines[at] = f"{key}{colon or ': '}{chance.choice(TEXTS)}"
            case _:
                lines[at] = f"{key}{colon or ': '}{shown(chance.choice(VALUES))}"
        if not lines:
            break
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def shown(value: Any) -> str:
    return json.dumps(value) if not isinstance(value, str) or "\0" in value else value


@dataclasses.dataclass(frozen=True)
class World:
    """A small run, videos, frames and a zip: what the trials spoil copies of."""

    root: Path
    recipe: Any

    @property
    def run(self) -> Path:
        return self.root / "run"

    @classmethod
    def make(cls, root: Path) -> World:
        os.environ["INRVID_CACHE"] = str(root / "cache")
        short = ["train.kclips=0.016", "train.checkpoint_kclips=0.008"]
        measured = "eval={metrics: [{type: statistics}], clips: 2}"
        recipe = load_recipe("quickstart", [*TINY, *short, measured, "data.videos=4", "train.batch_size=4"])
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
            (root / "run").mkdir()
            Trainer(recipe, root / "run", cpu=True).run()
        video = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
        for name in ("a", "b"):
            write_video(root / "videos" / f"{name}.mp4", video, 25)
            for i, frame in enumerate(video):
                write_image(root / "frames" / name / f"{i:03d}.png", frame)
        (root / "frames" / "dataset.json").write_text(
            json.dumps({"labels": [["a", 0], ["b", 1]], "classes": ["x", "y"], "fps": {"a": 25.0, "b": 12.5}})
        )
        with zipfile.ZipFile(root / "frames.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((root / "frames").rglob("*.*")):
                archive.write(path, path.relative_to(root / "frames"))
        world = cls(root, recipe)
        command("data", "info", str(root / "videos"))  # makes the index
        return world


def command(*arguments: str) -> int:
    """Run a command line in this process; its exit code."""
    sys.argv = ["inrvid", *arguments]
    try:
        inrvid.cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def resumed(world: World, here: Path) -> int:
    """A start of training from what is there, up to its first step."""
    refused = 0
    try:
        start = find_start(here / "run", "auto")
        if start.checkpoint:
            refuse_another_model(start.checkpoint, world.recipe)
        trainer = Trainer(world.recipe, here / "run", resume=start.checkpoint, fallbacks=start.fallbacks, cpu=True)
        with trainer.callbacks.around_steps(trainer):
            pass
    except (inrvid.InrvidError, OSError) as error:
        print(error, file=sys.stderr)
        refused = 2
    return refused


Trial = Callable[[World, Path], int]
"""Use the spoilt copy of the world in a folder; the exit code."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of input: the file of the world that is spoilt, how, what of the world is copied, and what uses it."""

    file: str
    spoil: Callable[[bytes, random.Random], bytes]
    use: Trial


def generate(world: World, here: Path) -> int:
    return command("generate", str(here / "run"), "-o", str(here / "out"), "--frames", "1", "--cpu")


def page(world: World, here: Path) -> int:
    return command("runs", str(here / "run"))


def looked_into(name: str, *options: str) -> Trial:
    def use(world: World, here: Path) -> int:
        path = str(here / name)
        codes = [
            command("data", "info", path, "--clip-length", "4", "--resolution", "16", *options),
            command("data", "verify", path),
            command("data", "convert", path, str(here / "out.zip"), "--resolution", "16"),
        ]
        return next((code for code in codes if code not in (0, 2)), max(codes))

    return use


def indexed(world: World, here: Path) -> int:
    os.environ["INRVID_CACHE"] = str(here / "cache")
    return command("data", "info", str(world.root / "videos"), "--clip-length", "4")


def recipe_of_run(world: World, here: Path) -> int:
    code = command("recipe", "show", str(here / "run" / "recipe.yaml"))
    return max(code, resumed(world, here))


CHECKPOINT = "run/checkpoints/clips-000000000016"
FILES = {
    "config": Kind("run/model/config.json", spoil_json, generate),
    "safetensors": Kind("run/model/model.safetensors", spoil_bytes, generate),
    "manifest": Kind(f"{CHECKPOINT}/manifest.json", spoil_json, resumed),
    "optimizer": Kind(f"{CHECKPOINT}/optimizer_generator.safetensors", spoil_bytes, resumed),
    "metrics": Kind("run/metrics.jsonl", spoil_lines, lambda w, h: max(page(w, h), resumed(w, h))),
    "scores": Kind("run/scores.json", spoil_json, page),
    "recipe": Kind("run/recipe.yaml", spoil_yaml, recipe_of_run),
    "index": Kind("cache/index", spoil_json, indexed),
    "zip": Kind("frames.zip", spoil_bytes, looked_into("frames.zip", "--labels")),
    "png": Kind("frames/a/003.png", spoil_bytes, looked_into("frames")),
    "mp4": Kind("videos/a.mp4", spoil_bytes, looked_into("videos")),
    "dataset.json": Kind("frames/dataset.json", spoil_json, looked_into("frames", "--labels")),
}


def file_trial(kind: Kind, chance: random.Random) -> Trial:
    def use(world: World, here: Path) -> int:
        top = kind.file.split("/")[0]
        (shutil.copytree if (world.root / top).is_dir() else shutil.copyfile)(world.root / top, here / top)
        target = here / kind.file
        target = next(target.iterdir()) if target.is_dir() else target
        target.write_bytes(kind.spoil(target.read_bytes(), chance))
        return kind.use(world, here)

    return use


KEYS = [
    "train.kclips", "train.batch_size", "seed", "name", "generator", "generator.motion.type", "generator.type",
    "data", "data.path", "data.fps", "eval.data", "eval.metrics", "train.trackers", "loss.r1_interval",
    "generator.resolution", "optim.generator.betas", "x", "", ".", "train", "train.log_kclips",
    "generator.extra_layers", "data.type",
]  # fmt: skip


def set_trial(chance: random.Random) -> Trial:
    def use(world: World, here: Path) -> int:
        sets = []
        for _ in range(chance.choice((1, 1, 2))):
            value = chance.choice(TEXTS) if chance.random() < 0.4 else shown(chance.choice(VALUES))
            equals = "=" if chance.random() < 0.95 else ""
            sets += ["--set", f"{chance.choice(KEYS)}{equals}{value}".replace("\0", "")]
        return command("recipe", "show", chance.choice(("quickstart", "stylegan_v_ffs", "digan_ucf")), *sets)

    return use


OPTIONS = {
    "generate": ["-o", "--videos", "--frames", "--seconds", "--fps", "--start", "--seed", "--truncation", "--label",
                 "--size", "--grid", "--precision", "--stride", "--slow", "--region", "--zoom-out", "--same-content",
                 "--side-by-side", "--content-motion-grid", "--difference", "--latents", "--crf", "--pictures"],
    "data": ["--type", "--resolution", "--clip-length", "--fps", "--stride", "--labels", "--json"],
    "recipe": ["--set", "--json"],
    "runs": ["-o"],
    "plugins": ["--json"],
}  # fmt: skip
ARGUMENTS = [
    "1", "0", "-1", "2", "16", "1e300", "nan", "inf", "-inf", "1e-320", "9" * 20, "9" * 5000, "abc", "", " ",
    "a\nb", "4x8", "0x0", "4x100000", "16384x16384", "x.mp4", "x.gif", "x", "/proc/x.mp4", "/dev/null", ".",
    "é.png", "bf16", "\udcff", "a" * 300, "frames", "videos", "zip", "train.kclips=1",
]  # fmt: skip


def line_trial(chance: random.Random) -> Trial:
    def use(world: World, here: Path) -> int:
        shutil.copytree(world.root / "run", here / "run")
        name = chance.choice(list(OPTIONS))
        first = {
            "generate": ["generate", "run", "-o", chance.choice(("a.mp4", "a.gif", "a.npz", "a")), "--frames", "1"],
            "data": ["data", chance.choice(("info", "verify", "convert")), str(world.root / "frames")],
            "recipe": ["recipe", chance.choice(("show", "validate")), "quickstart"],
            "runs": ["runs", chance.choice(("run", "compare", "nothing", "."))],
            "plugins": ["plugins", "list"],
        }[name]
        arguments = list(first)
        for _ in range(chance.choice((1, 2, 3))):
            arguments.append(chance.choice(OPTIONS[name]))
            if chance.random() < 0.9:
                arguments.append(chance.choice(ARGUMENTS))
        return command(*arguments)

    return use


def trial_of(kind: str, chance: random.Random) -> Trial:
    if kind == "set":
        return set_trial(chance)
    if kind == "line":
        return line_trial(chance)
    return file_trial(FILES[kind], chance)


KINDS = [*FILES, "set", "line"]


def tried(world: World, kind: str, seed: int) -> tuple[str, str]:
    """(what came of one trial: ok, refused, traceback, hang, memory, killed; what it printed on standard error)."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        log = here.with_name(f"{here.name}.log")
        child = os.fork()
        if child == 0:
            _child(world, trial_of(kind, random.Random(f"{kind} {seed}")), here, log)
        deadline = time.monotonic() + SECONDS
        status, peak = None, 0
        while status is None:
            pid, code, usage = os.wait4(child, os.WNOHANG)
            if pid:
                status, peak = code, usage.ru_maxrss * 1024
            elif time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                os.wait4(child, 0)
                return "hang", _read(log)
            else:
                time.sleep(0.002)
        told = _read(log)
        code = os.waitstatus_to_exitcode(status)
        if peak > BYTES:
            return "memory", told
        if code < 0 or code not in (0, 2):
            return "traceback" if code > 0 else "killed", told
        if "Traceback" in told or (code == 2 and not told.strip()):
            return "traceback", told
        return ("ok", "refused")[code == 2], told


def _read(log: Path) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    log.unlink(missing_ok=True)
    return text


def _child(world: World, trial: Trial, here: Path, log: Path) -> None:
    code = 1
    try:
        handle, nowhere = os.open(log, os.O_CREAT | os.O_WRONLY), os.open(os.devnull, os.O_RDWR)
        for number, target in ((0, nowhere), (1, nowhere), (2, handle)):
            os.dup2(target, number)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + BYTES, resource.RLIM_INFINITY))
        os.chdir(here)
        code = trial(world, here)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    wrong = 0
    with tempfile.TemporaryDirectory() as root:
        world = World.make(Path(root))
        for kind in arguments.kinds:
            start, outcomes = time.monotonic(), Counter[str]()
            for seed in range(arguments.seed, arguments.seed + arguments.count):
                outcome, told = tried(world, kind, seed)
                outcomes[outcome] += 1
                if outcome not in ("ok", "refused"):
                    wrong += 1
                    print(f"{kind} {seed}: {outcome}: {' | '.join(told.strip().splitlines()[-3:])[:400]}", flush=True)
            print(f"{kind}: {dict(outcomes)} in {time.monotonic() - start:.0f} s", flush=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
