"""Whole runs: what they write, how they go on, how they end."""

from __future__ import annotations

import io
import json
import math
import os
import signal

import numpy as np
import pytest
import safetensors.torch
import torch
import yaml
from PIL import Image
from rich.console import Console

from inrvid import InrvidError, VideoGenerator, load_recipe
from inrvid.training import keeping
from inrvid.training.checkpoint import load_checkpoint
from inrvid.training.fitting import fit_to_data
from inrvid.training.interval import Interval
from inrvid.training.keeping import checkpoints, newest_intact
from inrvid.training.run_dir import Start, find_start, new_run_dir, refuse_another_model
from inrvid.training.trainer import Interrupted, Trainer

from ..models.hub_server import hub
from .test_keeping import damage, make


def trainer(recipe, folder, resume=None, **keys):
    folder.mkdir(exist_ok=True)
    return Trainer(recipe, folder, resume=resume, cpu=True, **{"console": Console(file=io.StringIO()), **keys})


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_leaves_what_it_promises(tiny, tmp_path):
    recipe = tiny("train.kclips=0.064", "train.checkpoint_kclips=0.032", "train.tensorboard=true")
    run = trainer(recipe, tmp_path / "run")
    run.run()
    folder = tmp_path / "run"
    assert load_recipe(folder / "recipe.yaml") == run.recipe
    lines = metrics(folder)
    assert lines[-1]["clips"] == 64
    assert lines[-1]["frames"] == 128  # the discriminator sees two of a clip
    assert lines[-1]["step"] == 16
    for line in lines:
        for key in ("loss/G", "loss/D", "sign/real_image", "sign/fake_motion", "clips_per_second"):
            assert math.isfinite(line[key])
        assert line["nonfinite/G"] == line["nonfinite/D"] == 0
    assert any("loss/penalty" in line for line in lines)
    assert sorted(p.name for p in (folder / "checkpoints").iterdir()) == ["clips-000000000032", "clips-000000000064"]
    for name in ("real", "clips-000000000000"):
        assert (folder / "samples" / f"{name}.mp4").stat().st_size > 0
        picture = np.asarray(Image.open(folder / "samples" / f"{name}.png"))
        assert picture.shape[0] == 2 * 96
        assert picture.std() > 10
    assert list((folder / "tensorboard").iterdir())
    G = VideoGenerator.from_pretrained(folder)
    for name, value in run.generator.state_dict().items():
        assert torch.equal(G.state_dict()[name], value)


def test_resumed_run_is_the_uninterrupted_one(tiny, tmp_path):
    whole = trainer(tiny("train.kclips=0.080"), tmp_path / "whole")
    whole.run()
    first = trainer(tiny("train.kclips=0.032"), tmp_path / "parts")
    first.run()
    checkpoint = newest_intact(tmp_path / "parts" / "checkpoints")
    second = trainer(tiny("train.kclips=0.080"), tmp_path / "parts", resume=checkpoint)
    assert second.clips == 32
    second.run()
    for module in ("G", "D"):
        pairs = zip(
            getattr(whole.training, module).state_dict().items(),
            getattr(second.training, module).state_dict().values(),
            strict=True,
        )
        for (name, expected), value in pairs:
            assert torch.equal(expected, value), name
    for expected, value in zip(whole.generator.parameters(), second.generator.parameters(), strict=True):
        assert torch.equal(expected, value)


def test_a_signal_in_the_last_step_does_not_hide_what_is_not_finite(tiny, tmp_path):
    run = trainer(tiny("train.kclips=0.004"), tmp_path / "run")
    step = run.training.__call__

    def broken(*arguments, **keys):
        values = step(*arguments, **keys)
        torch.nn.init.constant_(next(run.training.G.parameters()), math.nan)
        os.kill(os.getpid(), signal.SIGTERM)
        return values

    run.training = type(
        "Step", (), {"__call__": staticmethod(broken), "__getattr__": lambda _, k: getattr(step.__self__, k)}
    )()
    with pytest.raises(InrvidError, match=r"at 4 clips: .*not finite"):
        run.run()
    assert not list((tmp_path / "run").glob("checkpoints/*"))


@pytest.mark.parametrize("kclips", [100, 0.016])
def test_first_signal_saves_and_stops(tiny, tmp_path, kclips):
    """Also one in the last step: what would come then, scores, takes minutes."""
    run = trainer(tiny(f"train.kclips={kclips}"), tmp_path / "run")
    step = run.training.__call__

    def interrupted(number, batches, **keys):
        if number == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(number, batches, **keys)

    run.training = type(
        "Step", (), {"__call__": staticmethod(interrupted), "__getattr__": lambda _, k: getattr(step.__self__, k)}
    )()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as caught:
        run.run()
    assert caught.value.signal == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
    checkpoint = newest_intact(tmp_path / "run" / "checkpoints")
    manifest = json.loads((checkpoint / "manifest.json").read_text())
    assert (manifest["step"], manifest["clips"]) == (4, 16)
    assert (tmp_path / "run" / "model" / "model.safetensors").exists()


def test_the_end_has_its_samples(tiny, tmp_path):
    trainer(tiny("train.kclips=0.012", "train.sample_kclips=100"), tmp_path / "run").run()
    found = sorted(path.name for path in (tmp_path / "run" / "samples").glob("clips-*.png"))
    assert found == ["clips-000000000000.png", "clips-000000000012.png"]


def test_clips_are_counted_whatever_the_batch(tiny, tmp_path):
    first = trainer(tiny("train.kclips=0.032"), tmp_path / "run")
    first.run()
    checkpoint = newest_intact(tmp_path / "run" / "checkpoints")
    second = trainer(tiny("train.kclips=0.048", "train.batch_size=8"), tmp_path / "run", resume=checkpoint)
    assert (second.step, second.clips) == (8, 32)
    second.run()
    assert (second.step, second.clips) == (10, 48)


def test_resuming_what_is_finished_leaves_a_model(tiny, tmp_path):
    trainer(tiny("train.kclips=0.008"), tmp_path / "run").run()
    checkpoint = newest_intact(tmp_path / "run" / "checkpoints")
    again = trainer(tiny("train.kclips=0.008"), tmp_path / "new", resume=checkpoint)
    again.run()
    assert "already at 8 clips" in again.console.file.getvalue()
    assert VideoGenerator.from_pretrained(tmp_path / "new").resolution == 16


def test_what_training_changes(tiny, tmp_path):
    run = trainer(tiny("train.kclips=0.032"), tmp_path / "run")
    G, D = run.training.G, run.training.D
    before = {name: p.clone() for name, p in [*G.named_parameters(prefix="G"), *D.named_parameters(prefix="D")]}
    run.run()
    still = [
        n for n, p in [*G.named_parameters(prefix="G"), *D.named_parameters(prefix="D")] if torch.equal(p, before[n])
    ]
    assert still == []
    average = dict(run.generator.named_parameters())
    assert any(not torch.equal(p, average[name]) for name, p in G.named_parameters())


def test_score_compares_with_the_untrained_generator(tiny, tmp_path):
    recipe = tiny("train.kclips=0.008", "eval={metrics: [{type: statistics}], clips: 20, data: {split: test}}")
    run = trainer(recipe, tmp_path / "run")
    scores = run.run()
    assert set(scores) == {"statistics/spatial", "statistics/temporal"}
    assert all(math.isfinite(value) and value > 0 for value in scores.values())
    saved = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert saved["trained"] == scores
    assert saved["untrained"] != scores
    assert "untrained" in run.console.file.getvalue()


def test_labels_and_rate_come_from_the_data(tiny, tmp_path):
    run = trainer(tiny("data.labels=true", "data.fps=10", "train.kclips=0.008"), tmp_path / "run")
    assert run.recipe.generator.label_dim == run.recipe.discriminator.label_dim == 2
    assert run.recipe.generator.fps == 10
    run.run()
    trained = VideoGenerator.from_pretrained(tmp_path / "run")
    assert trained.label_dim == 2
    assert list(trained.class_names) == run.dataset.classes
    assert len(set(trained.class_names)) == 2


def test_another_rate_than_the_data_s_is_told_with_what_follows_them(tiny, tmp_path):
    told = trainer(tiny("generator.fps=12", "data.fps=10"), tmp_path / "run").console.file.getvalue()
    assert "generator.fps is 12, the data has 10 frames a second: " in told
    assert "--set generator.fps=10\n" in told
    film = 30000 / 1001
    told = trainer(tiny("generator.fps=12", f"data.fps={film!r}"), tmp_path / "other").console.file.getvalue()
    assert f"--set generator.fps={film!r}\n" in told  # in as many digits as it takes to be the same


def test_wrong_number_of_classes_is_refused(tiny, tmp_path):
    with pytest.raises(InrvidError, match=r"the data has 2 classes: --set generator\.label_dim=2"):
        trainer(tiny("generator.label_dim=3"), tmp_path / "run")


def test_written_rate_is_kept(tiny):
    class Data:
        classes: tuple = ()
        fps = 30.0

    assert fit_to_data(tiny("generator.fps=12"), Data).generator.fps == 12
    assert fit_to_data(tiny(), Data).generator.fps == 30


@pytest.mark.parametrize(("precision", "half"), [("fp32", 0), ("tf32", 0), ("bf16", 99), ("fp16", 4)])
def test_precisions(tiny, tmp_path, precision, half):
    run = trainer(tiny("train.kclips=0.016", f"train.precision={precision}"), tmp_path / "run")
    assert run.recipe.generator.half_blocks == run.recipe.discriminator.half_blocks == half
    assert torch.backends.cudnn.allow_tf32 == (precision == "tf32")
    run.run()
    assert all(math.isfinite(line["loss/D"]) for line in metrics(tmp_path / "run"))
    assert all(p.dtype == torch.float32 for p in run.training.G.parameters())
    resumed = trainer(  # the precision may change on the way
        tiny("train.kclips=0.024"), tmp_path / "run", resume=newest_intact(tmp_path / "run" / "checkpoints")
    )
    resumed.run()
    assert resumed.clips == 24


def test_checkpoint_of_another_model_is_refused(tiny, tmp_path):
    trainer(tiny("train.kclips=0.008"), tmp_path / "run").run()
    checkpoint = newest_intact(tmp_path / "run" / "checkpoints")
    with pytest.raises(InrvidError, match="cannot be resumed from"):
        trainer(tiny("generator.channel_max=8"), tmp_path / "other", resume=checkpoint)
    (checkpoint / "ema.safetensors").unlink()
    with pytest.raises(InrvidError, match="cannot be resumed from"):
        load_checkpoint(checkpoint, trainer(tiny(), tmp_path / "third").training)


def test_another_model_is_told_before_anything_is_loaded(tiny, tmp_path):
    trainer(tiny("train.kclips=0.008"), tmp_path / "run").run()
    checkpoint = newest_intact(tmp_path / "run" / "checkpoints")
    refuse_another_model(checkpoint, tiny("train.kclips=1", "optim.generator.lr=0.1", "paper.title=another"))
    with pytest.raises(InrvidError, match=r"generator\.channel_max 16, the recipe has 8"):
        refuse_another_model(checkpoint, tiny("generator.channel_max=8"))
    saved = tmp_path / "run" / "recipe.yaml"
    saved.write_text(saved.read_text().replace("callbacks: []", "callbacks: [{type: of_a_package_that_is_gone}]"))
    assert "that_is_gone" in saved.read_text()
    refuse_another_model(checkpoint, tiny())


def test_run_folders(tmp_path):
    assert new_run_dir("a", tmp_path).name == "001"
    assert new_run_dir("a", tmp_path).name == "002"
    (tmp_path / "a" / "007").mkdir()
    assert new_run_dir("a", tmp_path).name == "008"
    (tmp_path / "a" / "²").mkdir()
    assert new_run_dir("a", tmp_path).name == "009"


def test_where_a_run_starts(tmp_path):
    run, other = tmp_path / "001", tmp_path / "002"
    assert find_start(run, "auto").checkpoint is None
    with pytest.raises(InrvidError, match="neither a checkpoint"):
        find_start(run, str(tmp_path / "nothing"))
    make(run / "checkpoints", 8, 16, 24)
    paths = checkpoints(run / "checkpoints")
    assert find_start(run, "auto") == Start(run, paths[2], (paths[1], paths[0]))
    assert find_start(other, str(run)) == Start(other, paths[2])
    assert find_start(other, str(paths[0])) == Start(other, paths[0])
    assert find_start(run, str(paths[0])) == Start(run, paths[0])  # going back
    make(other / "checkpoints", 12)
    said: list[str] = []
    own = checkpoints(other / "checkpoints")[0]
    assert find_start(other, str(paths[0]), said.append) == Start(other, own)  # the same command, when it was stopped
    assert "002 has checkpoints of its own, and resumes from the newest" in said[0]
    with pytest.raises(InrvidError, match="another --run-dir"):
        find_start(run, "never")


def test_a_run_whose_checkpoints_are_all_damaged_is_not_begun_anew(tmp_path):
    """It was, once: its model and metrics were gone."""
    make(tmp_path / "checkpoints", 8, 16)
    damage(tmp_path / "checkpoints", 8, 16)
    with pytest.raises(InrvidError, match=r"none of its checkpoints is intact.*\n  clips-0+16: ema.*\n  clips-0+8"):
        find_start(tmp_path, "auto")
    for path in checkpoints(tmp_path / "checkpoints"):
        keeping.delete(path)
    (tmp_path / "model").mkdir()
    with pytest.raises(InrvidError, match="holds a model but no checkpoint"):
        find_start(tmp_path, "auto")


def test_interval():
    interval = Interval(0.1, 0)
    assert [clips for clips in range(0, 350, 30) if interval.passed(clips)] == [120, 210, 300]
    resumed = Interval(0.1, 120)
    assert [clips for clips in range(120, 350, 30) if resumed.passed(clips)] == [210, 300]


def test_saved_recipe_is_plain_yaml(tiny, tmp_path):
    trainer(tiny("train.kclips=0.004"), tmp_path / "run").run()
    data = yaml.safe_load((tmp_path / "run" / "recipe.yaml").read_text())
    assert data["data"]["resolution"] == 16


def test_the_model_is_published_at_the_end(tiny, tmp_path, monkeypatch):
    with hub(monkeypatch) as remote:
        run = trainer(tiny("train.kclips=0.008", "hub.repo_id=me/scenes", "hub.private=true"), tmp_path / "run")
        run.run()
    made = remote.repos["me/scenes"]
    assert made.private
    config = json.loads(remote.files["me/scenes", "config.json"])
    assert config["clips"] == 8
    assert config["recipe"] == run.recipe.to_dict()
    published = safetensors.torch.load(remote.files["me/scenes", "model.safetensors"])
    assert all(torch.equal(value, published[name]) for name, value in run.generator.state_dict().items())


@pytest.mark.parametrize(("status", "expected"), [(403, "the Hub refused"), (None, "the Hub cannot be reached")])
def test_what_the_hub_refuses_is_told_and_the_model_is_there(tiny, tmp_path, monkeypatch, status, expected):
    with hub(monkeypatch, refuses=status):
        run = trainer(tiny("train.kclips=0.008", "hub.repo_id=me/scenes"), tmp_path / "run")
        if status is None:
            monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
        with pytest.raises(
            InrvidError, match=rf"me/scenes: {expected}[\s\S]*the model is in .*model; the same command"
        ):
            run.run()
    assert VideoGenerator.from_pretrained(tmp_path / "run")


def test_publishing_without_a_login_is_refused_before_training(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(InrvidError, match=r"hub\.repo_id: publishing needs a login to the Hub: hf auth login"):
        trainer(tiny("hub.repo_id=me/scenes"), tmp_path / "run")
    with pytest.raises(InrvidError, match=r"hub\.repo_id: 'a/b/c' is not the name of a repository"):
        trainer(tiny("hub.repo_id=a/b/c"), tmp_path / "run")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InrvidError, match="HF_HUB_OFFLINE is set"):
        trainer(tiny("hub.repo_id=me/scenes"), tmp_path / "run")


def test_weights_that_are_not_finite_are_not_published(tiny, tmp_path, monkeypatch):
    with hub(monkeypatch) as remote:
        run = trainer(tiny("train.kclips=0.008", "hub.repo_id=me/scenes"), tmp_path / "run")
        torch.nn.init.constant_(run.training.G.mapping.layers[0].weight, math.nan)
        with pytest.raises(InrvidError, match="weights are not finite, there is no checkpoint"):
            run.run()
    assert remote.repos == {}
