"""Training on the device: what a step changes, that it does not wait, that runs stop and go on."""

from __future__ import annotations

import copy
import json
import signal
import subprocess
import sys
import time
import warnings
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from inrvid import load_recipe
from inrvid.models.build import build_discriminator, build_generator
from inrvid.precision import set_tf32
from inrvid.random import Draws
from inrvid.recipe.file import own_recipes
from inrvid.training import step as step_module
from inrvid.training.step import Batch, TrainingStep

from ..training.test_waiting import WAITS, types
from .conftest import TINY, needs_gpu

LENGTHS = torch.tensor([32, 500])
SIZES = {
    "generator": {
        "resolution": 32,
        "input_resolution": 16,
        "channel_max": 32,
        "z_dim": 16,
        "w_dim": 16,
        "coord_dim": 8,
    },
    "discriminator": {"channel_max": 32},
}
RECIPES = {types(load_recipe(name).to_dict()): name for name in own_recipes()}


def shrunk(name, *overrides):
    """A recipe's parts at a small size."""
    own = load_recipe(name).to_dict()
    keys = [
        f"{part}.{key}={value}" for part, sizes in SIZES.items() for key, value in sizes.items() if key in own[part]
    ]
    keys += ["generator.motion.code_dim=16"] * ("code_dim" in own["generator"]["motion"])
    keys += ["discriminator.concat_resolution=8"] * ("concat_resolution" in own["discriminator"])
    return load_recipe(name, [*keys, "train.batch_size=8", *overrides])


def training_of(recipe, device):
    G, D = build_generator(recipe.generator), build_discriminator(recipe.discriminator)
    # An Accelerator belongs to a process, which has one device.
    alone = SimpleNamespace(device=device, num_processes=1, reduce=lambda x, how: x)
    set_tf32(recipe.train.precision)
    return TrainingStep(recipe, G, D, alone, LENGTHS)


def batch_of(training, device, clips=8):
    recipe = training.recipe
    draws = Draws.of_batch(0, "times", 0, range(clips))
    t = training.sampler.generated(draws, LENGTHS[:1].expand(clips))
    side, classes = recipe.generator.resolution, recipe.generator.label_dim
    frames = torch.rand(*t.shape, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    label = torch.eye(max(classes, 1))[torch.zeros(clips, dtype=torch.long)][:, :classes]
    return Batch(frames.to(device), t.to(device), label.to(device), range(clips))


def change_of(recipe, device):
    """All weights after two steps (the first with the penalty) less those before, in float64."""
    training = training_of(recipe, device)
    before = copy.deepcopy(state(training))
    batch = batch_of(training, device)
    for step in range(2):
        training(step, [batch], clips_seen=8 * step)
    return {name: value - before[name] for name, value in state(training).items()}


def state(training):
    pairs = [*training.G.named_parameters(prefix="G"), *training.D.named_parameters(prefix="D")]
    return {name: value.detach().double().cpu() for name, value in pairs}


@pytest.fixture
def plain_steps(monkeypatch):
    """SGD: Adam makes steps of the rate's size out of gradients that are nothing but rounding."""

    def plain(groups, config):
        return torch.optim.SGD([p for group in groups for p in group.parameters], lr=1e-3)

    monkeypatch.setattr(step_module, "adam", plain)
    monkeypatch.setattr(step_module, "follow", lambda optimizer, config, clips_seen: None)


@needs_gpu
@pytest.mark.parametrize("name", RECIPES.values())
def test_a_step_is_that_of_the_cpu(name, device, record_property, plain_steps):
    recipe = shrunk(name, "train.precision=fp32")
    cpu, gpu = change_of(recipe, torch.device("cpu")), change_of(recipe, device)
    flat = [torch.cat([changes[key].flatten() for key in sorted(changes)]) for changes in (cpu, gpu)]
    error = float((flat[0] - flat[1]).norm() / flat[0].norm())
    record_property("a step against the CPU's", error)
    assert error < 2e-2  # roundings at the kinks of leaky ReLUs


@needs_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("name", [name for own, name in RECIPES.items() if WAITS.isdisjoint(own)])
def test_steps_do_not_wait_for_the_device(name, precision, device):
    """Once everything has been loaded, compiled and tried."""
    recipe = shrunk(name, f"train.precision={precision}")
    training = training_of(recipe, device)
    batch = batch_of(training, device)
    for step in range(3):
        training(step, [batch], clips_seen=8 * step)
    torch.cuda.synchronize()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.cuda.set_sync_debug_mode("error")
        try:
            for step in range(3, 20):
                log = training(step, [batch], clips_seen=8 * step)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert not any(float(value) for key, value in log.items() if key.startswith("nonfinite"))


@needs_gpu
@pytest.mark.parametrize("name", ["digan_ucf", "stylegan_v_ffs_release"])
def test_compiled_steps(name, device, record_property, plain_steps):
    """`train.compile` runs on the device, and changes the weights as the eager step does."""
    eager, compiled = (shrunk(name, "train.precision=fp32", f"train.compile={on}") for on in ("false", "true"))
    changes = change_of(eager, device), change_of(compiled, device)
    flat = [torch.cat([own[key].flatten() for key in sorted(own)]) for own in changes]
    error = float((flat[0] - flat[1]).norm() / flat[0].norm())
    record_property("compiled against eager", error)
    assert error < 2e-2


def train(folder, *arguments, launcher=(), **keys):
    settings = [x for item in (*TINY, *arguments) for x in ("--set", item)]
    command = [sys.executable, *launcher, "-m", "inrvid", "train", "quickstart", "--run-dir", str(folder), *settings]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **keys)


LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=1")


@pytest.mark.parametrize("launcher", [(), LAUNCHER], ids=["alone", "launched"])
def test_a_run_stops_when_asked_and_goes_on(tmp_path, launcher):
    """SIGTERM: the state is saved. By itself, and under a launcher, whose group is NCCL's on a GPU."""
    process = train(tmp_path / "run", "train.kclips=1000", launcher=launcher)
    metrics = tmp_path / "run" / "metrics.jsonl"
    waited = time.monotonic()
    while not (metrics.exists() and metrics.read_text().count("\n") >= 2) and process.poll() is None:
        assert time.monotonic() - waited < 180
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    out = process.communicate(timeout=120)[0]
    newest = sorted((tmp_path / "run" / "checkpoints").glob("clips-*"))[-1]
    clips = json.loads((newest / "manifest.json").read_text())["clips"]
    assert clips > 0, out
    process = train(tmp_path / "run", f"train.kclips={(clips + 16) / 1000}")
    out = process.communicate(timeout=180)[0]
    assert process.returncode == 0, out
    assert f"continuing at {clips} clips" in out


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path):
    """To the roundings of the device's own sums, whose order is not fixed on a GPU."""
    lr = ("optim.generator.lr=0.0001", "optim.discriminator.lr=0.0001")
    for folder, lengths in (("whole", ("0.048",)), ("parts", ("0.024", "0.048"))):
        for kclips in lengths:
            process = train(tmp_path / folder, f"train.kclips={kclips}", *lr)
            out = process.communicate(timeout=180)[0]
            assert process.returncode == 0, out
    whole, parts = (sorted((tmp_path / f / "checkpoints").glob("clips-*"))[-1] for f in ("whole", "parts"))
    for network in ("generator", "discriminator"):
        a, b = (load_file(folder / f"{network}.safetensors") for folder in (whole, parts))
        flat = [torch.cat([x[key].double().flatten() for key in sorted(x)]) for x in (a, b)]
        assert float((flat[0] - flat[1]).norm() / flat[0].norm()) < 1e-5
