"""Fine-tuning: the first step begins from a model's weights; what does not fit is named."""

from __future__ import annotations

import io

import pytest
import torch
from rich.console import Console

from inrvid import InrvidError, build_generator, load_recipe

from .test_trainer import trainer


def equal(first, second):
    return all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


@pytest.fixture
def first(tiny, tmp_path):
    run = trainer(tiny("train.kclips=0.016"), tmp_path / "first")
    run.run()
    return run


def begun(recipe, folder):
    console = Console(file=io.StringIO(), width=500)
    run = trainer(recipe, folder, console=console)
    return run, console.file.getvalue()


def test_a_run_is_gone_on_from_with_its_networks_and_their_average(tiny, tmp_path, first):
    run, told = begun(tiny("seed=9", f"train.init={first.run_dir}"), tmp_path / "second")
    assert equal(run.generator, first.generator)
    assert equal(run.training.G, first.training.G)
    assert equal(run.training.D, first.training.D)
    assert not equal(run.training.G, run.generator)
    assert run.step == 0
    weights = len(run.training.D.state_dict())
    assert f"init: the discriminator of {first.run_dir}: {weights} of {weights} weights\n" in told


def test_the_average_does_not_forget_what_it_began_with(tiny, tmp_path, first):
    """Its ramp-up would take the first steps' weights for it."""
    recipe = tiny(f"train.init={first.run_dir}", "train.kclips=0.004", "train.ema_kclips=1000")
    run, told = begun(recipe, tmp_path / "second")
    assert "after 0.004 thousand clips, 100% of the moving average" in told
    assert "--set train.ema_kclips=0.0004" in told
    _, told = begun(tiny(f"train.init={first.run_dir}", "train.kclips=4", "train.ema_kclips=1"), tmp_path / "third")
    assert "moving average" not in told
    run.run()
    pairs = zip(run.generator.parameters(), first.generator.parameters(), strict=True)
    assert all(torch.allclose(ours, theirs, atol=1e-4) for ours, theirs in pairs)
    assert not equal(run.training.G, first.training.G)


def test_a_generator_alone(tiny, tmp_path, first):
    first.generator.save_pretrained(tmp_path / "alone")
    run, told = begun(tiny("seed=9", f"train.init={tmp_path / 'alone'}"), tmp_path / "second")
    assert equal(run.training.G, first.generator)
    assert equal(run.generator, first.generator)
    assert not equal(run.training.D, first.training.D)
    assert "has no discriminator: it starts anew" in told


def test_what_does_not_fit_is_named(tiny, tmp_path, first):
    run, told = begun(
        tiny("generator.motion={type: static}", f"train.init={first.run_dir / 'model'}"), tmp_path / "second"
    )
    assert "have no place here" in told
    assert "motion" in told
    assert torch.equal(run.generator.mapping.layers[0].weight, first.generator.mapping.layers[0].weight)


def test_what_cannot_be_begun_from_is_refused(tiny, tmp_path, first):
    with pytest.raises(InrvidError, match="/nothing: no such folder"):
        begun(tiny("train.init=/nothing"), tmp_path / "second")
    sizes = ["z_dim=24", "w_dim=40", "channel_base=96", "coord_dim=6", "fmm_rank=3"]
    other = {key: int(value) for key, value in (size.split("=") for size in sizes)}
    build_generator({**first.generator.config, **other}).save_pretrained(tmp_path / "other")
    with pytest.raises(InrvidError, match=r"train\.init: next to nothing of the generator of .* \(inr_gan\) fits"):
        begun(tiny(f"train.init={tmp_path / 'other'}"), tmp_path / "third")


def test_a_resumed_run_has_begun_already(tiny, tmp_path, first):
    recipe = tiny("seed=9", f"train.init={first.run_dir}", "train.kclips=0.008")
    run, _ = begun(recipe, tmp_path / "second")
    run.run()
    checkpoint = next((run.run_dir / "checkpoints").iterdir())
    resumed = trainer(recipe, tmp_path / "second", resume=checkpoint)
    assert resumed.clips == 8
    assert equal(resumed.training.G, run.training.G)


def test_a_second_stage_begins_with_what_it_takes_of_the_average(tiny, tmp_path, first, monkeypatch):
    """A network of another type says itself which of the first stage's weights are its own, and both of its own."""

    def adopted(self, other):
        scale = other.mapping.layers[0].weight.std()
        return {name: scale.expand_as(x) for name, x in self.state_dict().items() if name.startswith("blocks.")}

    monkeypatch.setattr("inrvid.generators.stylegan2.StyleGan2.adopted", adopted)
    assert (first.run_dir / "model" / "generator").is_dir()
    generator = {"type": "stylegan2", "resolution": 16, "clip_length": 8, "channel_max": 16, "z_dim": 8, "w_dim": 8}
    recipe = {**tiny(f"train.init={first.run_dir}").to_dict(), "generator": generator}
    run, told = begun(load_recipe(recipe), tmp_path / "second")
    assert f"init: stylegan2 begins with what it can use of {first.run_dir}, which is inr_gan\n" in told
    assert equal(run.training.G, run.generator)
    scale = first.generator.mapping.layers[0].weight.std()
    taken = {name for name, x in run.generator.state_dict().items() if torch.equal(x, scale.expand_as(x))}
    assert taken == {name for name in run.generator.state_dict() if name.startswith("blocks.")}
