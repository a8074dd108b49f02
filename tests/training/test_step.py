"""The parts of a step."""

from __future__ import annotations

import copy
import functools
import shutil

import pytest
import torch
from accelerate import Accelerator
from torch import nn
from torch.torch_version import TorchVersion

from inrvid import InrvidError
from inrvid.augment.none import NoAugment
from inrvid.layers.parameters import ParameterGroup
from inrvid.losses.base import Phase
from inrvid.models.build import build_discriminator, build_generator
from inrvid.recipe.schema import OptimizerConfig, TrainConfig
from inrvid.schedule import Cosine
from inrvid.training.ema import MovingAverage
from inrvid.training.optim import Gradients, adam
from inrvid.training.stats import Stats
from inrvid.training.step import COMPILES, Batch, TrainingStep

LENGTHS = torch.tensor([16])


def test_lazy_regularisation_rescales_adam():
    p = nn.Parameter(torch.zeros(1))
    group = adam([ParameterGroup([p])], OptimizerConfig(lr=0.0025, betas=(0.5, 0.99), lazy_interval=16)).param_groups[0]
    c = 16 / 17
    assert group["lr"] == 0.0025 * c
    assert group["betas"] == (0.5**c, 0.99**c)
    assert adam([ParameterGroup([p])], OptimizerConfig(lazy_interval=0)).param_groups[0]["lr"] == 0.0025


def test_frozen_parameters_are_not_optimized():
    frozen, learned = nn.Parameter(torch.zeros(1), requires_grad=False), nn.Parameter(torch.zeros(1))
    (group,) = adam([ParameterGroup([frozen, learned])], OptimizerConfig()).param_groups
    assert group["params"] == [learned]


def test_groups_learn_at_rates_of_their_own():
    slow, fast = (nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = adam([ParameterGroup([slow], 0.1), ParameterGroup([fast])], OptimizerConfig(lr=0.01, lazy_interval=0))
    assert [group["lr"] for group in optimizer.param_groups] == [0.1 * 0.01, 0.01]


def test_parameters_of_no_group_do_not_learn(tiny):
    recipe = tiny()
    D = build_discriminator(recipe.discriminator)
    D.parameter_groups = lambda: [ParameterGroup(D.motion.parameters())]
    TrainingStep(recipe, build_generator(recipe.generator), D, Accelerator(cpu=True), LENGTHS)
    assert all(p.requires_grad == name.startswith("motion.") for name, p in D.named_parameters())


@pytest.mark.parametrize(("loss", "told"), [(None, "a NoneType"), (torch.zeros(2), r"of the shape \[2\]")])
def test_a_loss_that_is_no_number_is_refused(tiny, loss, told):
    recipe = tiny()
    networks = build_generator(recipe.generator), build_discriminator(recipe.discriminator)
    step = TrainingStep(recipe, *networks, Accelerator(cpu=True), LENGTHS)
    step.phases = [Phase("G", "generator", (), lambda turn: loss)]
    batch = Batch(torch.zeros(2, 2, 3, 16, 16), torch.zeros(2, 2), torch.zeros(2, 0), range(2))
    with pytest.raises(InrvidError, match=f"phase G: its loss is {told}: expected a tensor of one number"):
        step(0, [batch], clips_seen=2)


def test_a_network_that_is_frozen_altogether_plays_no_phase(tiny):
    """A generator is trained against a judge that does not learn."""
    recipe = tiny()
    G, D = build_generator(recipe.generator), build_discriminator(recipe.discriminator)
    D.requires_grad_(False)
    before = copy.deepcopy(D.state_dict()), copy.deepcopy(G.state_dict())
    training = TrainingStep(recipe, G, D, Accelerator(cpu=True), LENGTHS)
    frames = torch.rand(4, 2, 3, 16, 16) * 2 - 1
    log = training(0, [Batch(frames, torch.tensor([[0.0, 5.0]] * 4), torch.zeros(4, 0), range(4))], clips_seen=0)
    assert [name for name in log if name.startswith("loss/")] == ["loss/G"]
    assert all(torch.equal(before[0][name], value) for name, value in D.state_dict().items())
    assert any(not torch.equal(before[1][name], value) for name, value in G.state_dict().items())


def test_gradients_become_finite_and_it_is_told():
    module = nn.Linear(3, 2)
    gradients = Gradients(list(module.parameters()), Accelerator(cpu=True))
    module.weight.grad = torch.tensor([[float("nan"), 1.0, 2.0], [float("inf"), float("-inf"), 3.0]])
    assert gradients.settle() == 1
    assert module.weight.grad.tolist() == [[0.0, 1.0, 2.0], [1e5, -1e5, 3.0]]
    assert module.bias.grad.tolist() == [0.0, 0.0]
    assert gradients.settle() == 0


def test_moving_average_half_life():
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    average = MovingAverage(module, TrainConfig(ema_kclips=0.1, ema_rampup=0))
    nn.init.ones_(module.weight)
    for _ in range(10):  # 100 clips: one half-life
        average.update(module, clips=10, clips_seen=0)
    torch.testing.assert_close(average.module.weight.item(), 0.5)


def test_moving_average_ramps_up():
    module = nn.Linear(1, 1, bias=False)
    average = MovingAverage(module, TrainConfig(ema_kclips=20, ema_rampup=0.05))
    nn.init.constant_(module.weight, 3.0)
    average.update(module, clips=8, clips_seen=0)
    assert average.module.weight.item() == 3.0  # nothing seen yet: nothing to remember
    nn.init.constant_(module.weight, 5.0)
    average.update(module, clips=8, clips_seen=160)  # half-life 8 clips
    torch.testing.assert_close(average.module.weight.item(), 4.0)


def test_stats_are_means_since_the_last_call():
    stats, accelerator = Stats(), Accelerator(cpu=True)
    stats.add({"a": torch.tensor(1.0), "b": torch.tensor([2.0, 4.0])})
    stats.add({"a": torch.tensor(2.0)})
    assert stats.means(accelerator) == {"a": 1.5, "b": 3.0}
    assert stats.means(accelerator) == {}


def test_a_step_is_a_function_of_its_number_and_batch(tiny):
    recipe = tiny()
    states = []
    for _ in range(2):
        training = TrainingStep(
            recipe, build_generator(recipe.generator), build_discriminator(recipe.discriminator), Accelerator(cpu=True),
            LENGTHS,
        )  # fmt: skip
        torch.rand(7)  # the global state does not matter
        frames = torch.linspace(-1, 1, 4 * 2 * 3 * 16 * 16).view(4, 2, 3, 16, 16)
        batch = Batch(frames, torch.tensor([[0.0, 5.0]] * 4), torch.zeros(4, 0), range(4))
        for step in (16, 17):
            training(step, [batch], clips_seen=4 * step)
        states.append(copy.deepcopy(training.G.state_dict()) | training.D.state_dict())
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])


def test_frozen_parts_of_the_discriminator_stay_frozen(tiny):
    """A pretrained backbone: neither moved, nor let loose after the generator's turn."""
    recipe = tiny()
    D = build_discriminator(recipe.discriminator)
    D.image.requires_grad_(False)
    training = TrainingStep(recipe, build_generator(recipe.generator), D, Accelerator(cpu=True), LENGTHS)
    before = copy.deepcopy(D.state_dict())
    frames = torch.rand(4, 2, 3, 16, 16) * 2 - 1
    for step in range(2):
        training(step, [Batch(frames, torch.tensor([[0.0, 5.0]] * 4), torch.zeros(4, 0), range(4))], clips_seen=0)
    for name, p in D.named_parameters():
        frozen = name.startswith("image.")
        assert p.requires_grad != frozen
        assert torch.equal(p, before[name]) == frozen, name


def test_compiling_by_an_old_pytorch_is_refused(tiny, monkeypatch):
    recipe = tiny("train.compile=true")
    monkeypatch.setattr(torch, "__version__", TorchVersion("2.6.0"))
    G, D = build_generator(recipe.generator), build_discriminator(recipe.discriminator)
    with pytest.raises(InrvidError, match=r"train\.compile: PyTorch 2\.6\.0 .* 2\.11 or newer"):
        TrainingStep(recipe, G, D, Accelerator(cpu=True), LENGTHS)


COMPILER = (
    pytest.mark.release,
    pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on the CPU"),
)


def gradients_of_a_step(tiny, **keys):
    """All parameters after one step with a penalty, from the same start."""
    small = ("generator.resolution=8", "generator.input_resolution=4")  # compiling takes long as it is
    recipe = tiny(*small, *(f"train.{key}={value}" for key, value in keys.items()))
    training = TrainingStep(
        recipe, build_generator(recipe.generator), build_discriminator(recipe.discriminator), Accelerator(cpu=True),
        LENGTHS,
    )  # fmt: skip
    seen = {}
    for name, gradients in training._gradients.items():

        def settle(own=gradients, name=name, original=gradients.settle):
            wrong = original()
            seen.setdefault(name, []).append([p.grad.clone() for p in own.parameters])
            return wrong

        gradients.settle = settle
    frames = torch.linspace(-1, 1, 4 * 2 * 3 * 8 * 8).view(4, 2, 3, 8, 8)
    training(0, [Batch(frames, torch.tensor([[0.0, 5.0]] * 4), torch.zeros(4, 0), range(4))], clips_seen=0)
    return seen


@pytest.mark.skipif(torch.__version__ < COMPILES, reason="compiles to wrong gradients")
@pytest.mark.parametrize("backend", ["aot_eager_decomp_partition", pytest.param("inductor", marks=COMPILER)])
def test_compiled_gradients_are_the_eager_ones(backend, tiny, tmp_path, monkeypatch):
    """Of G, of D, and of the penalty, whose second derivatives a compiled D would lose. The first backend is the second
    without its C++, which takes minutes."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))  # another version's graphs may lie in the usual one
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=backend))
    eager, compiled = gradients_of_a_step(tiny), gradients_of_a_step(tiny, compile="true")
    assert [len(calls) for calls in compiled.values()] == [1, 2]  # G; D and its penalty
    for name, calls in eager.items():
        for expected, actual in zip(calls, compiled[name], strict=True):
            flat = [torch.cat([g.flatten() for g in gradients]) for gradients in (expected, actual)]
            assert (flat[1] - flat[0]).norm() < 1e-3 * flat[0].norm()


def training_of(recipe):
    networks = build_generator(recipe.generator), build_discriminator(recipe.discriminator)
    return TrainingStep(recipe, *networks, Accelerator(cpu=True), LENGTHS)


def batch():
    frames = torch.linspace(-1, 1, 4 * 2 * 3 * 16 * 16).view(4, 2, 3, 16, 16)
    return Batch(frames, torch.tensor([[0.0, 5.0]] * 4), torch.zeros(4, 0), range(4))


def test_an_augmentation_is_told_once_each_step(tiny):
    training, seen = training_of(tiny()), []

    class Watching(NoAugment):
        def observe(self, real, *, clips, total):
            seen.append(clips)

    training.augment = Watching(training.recipe.augment)
    for step in range(3):
        training(step, [batch()], clips_seen=4 * step)
    assert seen == [4, 4, 4]


def test_rates_of_a_step_are_those_of_the_clips_seen(tiny):
    rate = "optim.generator.lr={start: 0.01, end: 0, kclips: 1}"
    training = training_of(tiny(rate, "optim.generator.lazy_interval=0"))
    for seen in (0, 500, 1000):
        training(1, [batch()], clips_seen=seen)
        lr = training.optimizers["generator"].param_groups[0]["lr"]
        assert lr == pytest.approx(0.01 * (1 - seen / 1000))


def test_a_half_life_follows_its_schedule():
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    config = TrainConfig(ema_kclips=Cosine(start=0.01, end=0.1, kclips=1), ema_rampup=0)
    average = MovingAverage(module, config)
    nn.init.ones_(module.weight)
    average.update(module, clips=100, clips_seen=5000)
    assert average.module.weight.item() == pytest.approx(0.5)
