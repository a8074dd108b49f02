"""A training step does not wait for the device.

What reads a value cannot run on the meta device, whose tensors hold none. Copies from the host, and numbers that become
tensors, are watched.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from inrvid import load_recipe
from inrvid.models.build import build_discriminator, build_generator
from inrvid.random import Draws
from inrvid.recipe.file import own_recipes
from inrvid.training import step
from inrvid.training.step import Batch, TrainingStep

META = torch.device("meta")
WAITS = {"lstm"}
"""Motions that run to the latest time, which they ask the device for."""


STEP = ("generator", "discriminator", "time_sampler", "augment", "loss")
"""The parts of a recipe that a step runs."""


def types(config) -> tuple[str, ...]:
    """Of a part and its own parts."""
    if not isinstance(config, dict):
        return ()
    own = (config["type"],) if "type" in config else ()
    return own + tuple(name for part in config.values() for name in types(part))


def step_of(name: str) -> tuple[object, ...]:
    """What a recipe's step runs, and whether there are classes."""
    recipe = load_recipe(name).to_dict()
    return (recipe["generator"]["label_dim"] > 0, *(kind for part in STEP for kind in types(recipe[part])))


RECIPES = {step_of(name): name for name in own_recipes()}
"""One for each combination of parts."""


class NoNumbers(TorchFunctionMode):
    """Raises where a number is made a tensor of a device, which waits for a GPU, though not for this one."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if function in (torch.tensor, torch.as_tensor, torch.Tensor.new_tensor):
            assert out.device != META or out is args[0], f"waits: {function.__name__}"
        return out


class NoWaiting(TorchDispatchMode):
    """Raises where a tensor is copied from the host in a way that would wait for a GPU's stream."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        out = operation(*args, **(kwargs or {}))
        if operation in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default):
            asynchronous = (kwargs or {}).get("non_blocking", False) or args[2:3] == (True,)
            devices = {x.device.type for x in tree_leaves((args, kwargs, out)) if isinstance(x, torch.Tensor)}
            assert asynchronous or len(devices) == 1, f"waits: {operation} of {[tuple(x.shape) for x in args[:2]]}"
        return out


@pytest.mark.parametrize("name", [name for own, name in RECIPES.items() if WAITS.isdisjoint(own)])
def test_a_step_does_not_wait(name, monkeypatch):
    """The whole of it: G, D and the penalty, augmentations and moving average."""

    def plain(groups, config):
        return torch.optim.SGD([p for group in groups for p in group.parameters], lr=config.lr)

    # Fused Adam does not know the meta device. Its rates are numbers of Python's.
    monkeypatch.setattr(step, "adam", plain)
    monkeypatch.setattr(step, "follow", lambda optimizer, config, clips_seen: None)
    recipe = load_recipe(name)
    accelerator = SimpleNamespace(device=META, num_processes=1, reduce=lambda x, how: x)
    G, D = build_generator(recipe.generator), build_discriminator(recipe.discriminator)
    lengths = torch.tensor([32, 500])
    training = TrainingStep(recipe, G, D, accelerator, lengths)
    samples = range(2 * D.group)
    draws = Draws.of_batch(0, "times", 0, samples)
    t = training.sampler.generated(draws, lengths[:1].expand(len(samples))).to(META)
    side, classes = recipe.generator.resolution, recipe.generator.label_dim
    frames, label = torch.empty(*t.shape, 3, side, side, device=META), torch.zeros(len(t), classes, device=META)
    with NoWaiting(), NoNumbers():
        for number in range(2):
            training(number, [Batch(frames, t, label, samples)], clips_seen=number * len(samples))
