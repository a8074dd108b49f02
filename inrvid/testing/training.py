"""The smallest training: a recipe with a part in it, two steps, and the model that they leave."""

from __future__ import annotations

import abc
import copy
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from rich.console import Console
from torch import nn

from ..files import read_text, write_text
from ..generators.base import VideoGenerator
from ..models.build import build_discriminator, build_generator
from ..recipe.schema import Recipe, load_recipe
from ..training.trainer import Interrupted, Trainer
from ..weights import read_weights
from .checks import Checks, require, shaped
from .sizes import small

STEPS, BATCH = 2, 4
SHARED = ("resolution", "clip_length", "label_dim", "fps")
"""Keys that a recipe's parts have in common: written once, for the generator."""

TOLERANCE = 0.05
"""How far two processes may end from one, as a fraction of how far its weights have moved."""


def small_recipe(parts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A recipe of two steps of four clips, as plain data.

    Args:
        parts: what it has in place of the library's own parts: {'generator.motion': {'type': …}}.
    """
    recipe: dict[str, Any] = {
        "name": "conformance",
        "data": {"type": "procedural", "videos": 8, "frames": 10, "workers": 0},
        "generator": small("generators", "inr_gan", motion=small("motions", "global"), resolution=16),
        "discriminator": small("discriminators", "dual"),
        "time_sampler": {"type": "random_distance"},
        "augment": {"type": "none"},
        "loss": {"type": "logistic"},
        "optim": {name: {"lr": 0.0001} for name in ("generator", "discriminator")},
        "train": {"kclips": STEPS * BATCH / 1000, "batch_size": BATCH, "log_kclips": BATCH / 1000, "sample_videos": 2},
    }
    recipe["train"]["tensorboard"] = False
    for place, part in (parts or {}).items():
        *above, key = place.split(".")
        section = recipe
        for name in above:
            section = section[name]
        section[key] = copy.deepcopy(part)
    return _agreeing(recipe)


def _agreeing(recipe: dict[str, Any]) -> dict[str, Any]:
    """Move keys that parts have in common to the generator alone, as the last part that has them says."""
    generator = recipe["generator"]
    for name in ("discriminator", "time_sampler", "data"):
        section = recipe[name]
        generator |= {key: section.pop(key) for key in SHARED if key in section}
    generator.pop("label_dim", None)
    data = recipe["data"]
    if length := data.get("frames"):
        data["frames"] = max(length, generator.get("clip_length", 0) + 2)
    return recipe


def train(folder: Path, recipe: Mapping[str, Any] | str | Path, *overrides: str) -> Trainer:
    """Train a recipe in a new folder, on the CPU, in this process, without output."""
    folder.mkdir(parents=True)
    trainer = Trainer(load_recipe(recipe, overrides), folder, cpu=True, console=Console(file=io.StringIO()))
    try:
        trainer.run()
    except Interrupted:  # a check that is interrupted has not failed
        raise KeyboardInterrupt from None
    return trainer


class TrainedChecks(Checks):
    """Checks of parts that a recipe has one of."""

    @abc.abstractmethod
    def recipe_parts(self) -> dict[str, Any]:
        """The part at its place in a recipe."""

    def recipe(self) -> dict[str, Any]:
        """A small recipe with the part, and with the others that its class asks for, by their places (`test_parts`)."""
        return small_recipe({**getattr(self.parts.component(self.name), "test_parts", {}), **self.recipe_parts()})

    def test_a_recipe_trains_two_steps(self) -> None:
        """Losses are finite, what learns has moved, and the model loads and makes videos."""
        with tempfile.TemporaryDirectory() as place:
            trainer = train(Path(place) / "run", self.recipe())
            check_losses(lines_of(Path(place) / "run"))
            check_moved(trainer)
            G = VideoGenerator.from_pretrained(Path(place) / "run" / "model")
            with torch.no_grad():
                frames = G.inr(G.sample_latents(2))(torch.tensor([0.0, 2.5, 20.0]))
            shaped(frames, (2, 3, 3, G.resolution, G.resolution), "frames of the model that was trained")


class ParallelChecks(TrainedChecks):
    """Checks of those whose work is also shared between processes."""

    def test_two_processes_train_as_one(self) -> None:
        """A batch over two processes (gloo, on the CPU) moves the weights as it does in one.

        Skipped for a part whose class says why it cannot (`test_alone`).
        """
        if alone := getattr(self.parts.component(self.name), "test_alone", ""):
            raise unittest.SkipTest(alone)
        recipe = self.recipe()
        with tempfile.TemporaryDirectory() as place:
            alone = train(Path(place) / "alone", recipe)
            one, two = _weights(alone.run_dir), _weights(_run_two(Path(place), recipe))
        moved, apart = (_distance(other, one) for other in (_initial(alone.recipe), two))
        require(
            apart <= TOLERANCE * moved,
            f"two processes end {apart / max(moved, 1e-30):.0%} of the way from one: draws of a clip have to be "
            "functions of its `Draws`, and means over a batch those over all processes",
        )

    test_two_processes_train_as_one.slow = True  # type: ignore[attr-defined]


def lines_of(run: Path) -> list[dict[str, Any]]:
    """What was logged."""
    return [json.loads(line) for line in read_text(run / "metrics.jsonl").splitlines()]


def check_losses(lines: list[dict[str, Any]]) -> None:
    losses = {name: value for line in lines for name, value in line.items() if name.startswith("loss/")}
    require(bool(losses), "no loss was logged")
    wrong = [name for name, value in losses.items() if value is None or not math.isfinite(value)]
    require(not wrong, f"not finite: {', '.join(wrong)}")


def check_moved(trainer: Trainer) -> None:
    """Raise Failed if a trainable parameter is unchanged.

    Except single numbers: a loss may not see what is added to all logits (relativistic ones, hinges at small logits).
    """
    start = _initial(trainer.recipe)
    for name, optimizer in trainer.training.optimizers.items():
        network: nn.Module = trainer.training.G if name == "generator" else trainer.training.D
        learned = {id(p) for group in optimizer.param_groups for p in group["params"] if p.numel() > 1}
        still = [k for k, p in network.named_parameters() if id(p) in learned and p.equal(start[f"{name}/{k}"])]
        require(not still, f"after {STEPS} steps the {name}'s {', '.join(still[:5])} are what they were")


def _initial(recipe: Recipe) -> dict[str, torch.Tensor]:
    """The parameters that its networks begin with."""
    networks: dict[str, nn.Module] = {
        "generator": build_generator(recipe.generator, seed=recipe.seed),
        "discriminator": build_discriminator(recipe.discriminator, seed=recipe.seed),
    }
    return {f"{name}/{key}": p.detach() for name, network in networks.items() for key, p in network.named_parameters()}


def _run_two(place: Path, recipe: Mapping[str, Any]) -> Path:
    """The folder of a run by the command line, in two processes."""
    file, folder = place / "recipe.yaml", place / "two"
    write_text(file, yaml.safe_dump(dict(recipe)))
    command = [sys.executable, "-m", "inrvid", "train", str(file), "--cpu", "--processes", "2"]
    command += ["--run-dir", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True, check=False)
    told = " ".join((result.stderr or result.stdout).split())[-300:]
    require(result.returncode == 0, f"inrvid train --processes 2 ended with {result.returncode}: {told}")
    return folder


def _weights(run: Path) -> dict[str, torch.Tensor]:
    newest = sorted((run / "checkpoints").glob("clips-*"))[-1]
    return {
        f"{name}/{key}": value
        for name in ("generator", "discriminator")
        for key, value in read_weights(newest / f"{name}.safetensors").items()
    }


def _distance(a: Mapping[str, torch.Tensor], b: Mapping[str, torch.Tensor]) -> float:
    """L2, over what both have."""
    return sum((a[name].double() - b[name].double()).square().sum().item() for name in a.keys() & b.keys()) ** 0.5
