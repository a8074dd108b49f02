"""Models on disk: what is saved is loaded, and what cannot be loaded is refused with what to do."""

from __future__ import annotations

import json
import math
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from inrvid import InrvidError, VideoGenerator, build_discriminator, build_generator
from inrvid.discriminators.base import Discriminator
from inrvid.models import files
from inrvid.weights import read_metadata, read_weights

from ..small import small_generator


@pytest.fixture
def model(tmp_path):
    G = build_generator(small_generator("inr_gan", "global"), seed=3)
    G.save_pretrained(tmp_path / "run" / "model", clips=7)
    return tmp_path / "run" / "model"


def refusal(path):
    with pytest.raises(InrvidError) as caught:
        VideoGenerator.from_pretrained(path)
    return str(caught.value)


def test_folder_holds_plain_data_and_weights_alone(model):
    assert sorted(p.name for p in model.iterdir()) == ["config.json", "model.safetensors"]
    config = json.loads((model / "config.json").read_text())
    assert config["clips"] == 7
    assert config["components"]["motions.global"]["package"] == "inrvid"
    assert config["generator"]["motion"]["type"] == "global"


def test_run_folder_is_a_model(model):
    G = VideoGenerator.from_pretrained(model.parent)
    assert not G.training
    assert torch.equal(G.mapping.layers[0].weight, VideoGenerator.from_pretrained(model).mapping.layers[0].weight)


def unsealed(model):
    """What stands behind the comparison of digests."""
    edited(model, sha256={})
    return model


def test_missing_weight_is_refused(model):
    unsealed(model)
    tensors = load_file(model / "model.safetensors")
    tensors.pop("mapping.w_average")
    save_file(tensors, model / "model.safetensors")
    assert "do not fit" in refusal(model)


def test_truncated_weights_are_refused(model):
    weights = unsealed(model) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "model.safetensors: cut short, or damaged: 1000 bytes" in refusal(model)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_broken_config_is_refused(model, text):
    (model / "config.json").write_text(text)
    assert "config.json: " in refusal(model)


def test_config_that_no_longer_validates_names_the_key(model):
    config = json.loads((model / "config.json").read_text())
    config["generator"]["fmm_rnk"] = 3
    (model / "config.json").write_text(json.dumps(config))
    assert "fmm_rnk: unknown key. Did you mean 'fmm_rank'" in refusal(model)


def test_what_is_no_model(tmp_path):
    assert "no config.json" in refusal(tmp_path)
    assert "no such folder, and not the name of a Hub repository" in refusal(tmp_path / "nothing")
    assert "no such folder, and not the name of a Hub repository" in refusal("nothing")


def test_a_slip_in_a_path_is_not_looked_for_on_the_hub(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("inrvid.models.hub.fetch", None)
    monkeypatch.setattr("inrvid.models.hub.has", None)
    model.rename(tmp_path / "digan")
    (tmp_path / "shelf").mkdir()
    shutil.move(tmp_path / "digan", tmp_path / "shelf" / "digan")
    assert "shelf/digna: shelf has no such folder. Did you mean 'digan'?" in refusal("shelf/digna")
    assert refusal("shelf").endswith("\n  one of those in it? shelf/digan")
    assert "shelf has no such folder" in refusal("shelf/stylegan")  # a folder of models
    (tmp_path / "me").mkdir()
    asked = []
    monkeypatch.setattr("inrvid.models.hub.has", lambda name, file, **keys: asked.append(name))
    with pytest.raises(TypeError):  # the Hub's to say
        VideoGenerator.from_pretrained("me/digan")
    assert asked == [] or asked == ["me/digan"]


def edited(model, **values):
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, **values}))


def test_a_config_names_no_file(model, tmp_path):
    """A string in the place of the generator was read as a recipe's path, once."""
    (tmp_path / "other.yaml").write_text("extends: quickstart\n")
    for value in (str(tmp_path / "other.yaml"), "quickstart", ["inr_gan"], 3):
        edited(model, generator=value)
        assert "not a model of inrvid: generator: Input should be" in refusal(model)


def test_sizes_are_compared_before_anything_is_allocated(model):
    """Of a model that would take terabytes; nothing but the file's header says that it is small."""
    generator = json.loads((model / "config.json").read_text())["generator"]
    edited(model, generator={**generator, "w_dim": 10**6, "z_dim": 10**6})
    assert "do not fit the model: blocks" in refusal(model)
    edited(model, generator={**generator, "mapping_layers": 10**9})
    assert "mapping_layers: should be less than or equal to 100" in refusal(model)


def test_names_in_it_that_are_no_text_do_not_spoil_it(model):
    """A model trained on such a folder could not be opened, once."""
    G = VideoGenerator.from_pretrained(model)
    G.save_pretrained(model, recipe={"data": {"path": "/n\udcff"}})
    VideoGenerator.from_pretrained(model)
    assert json.loads((model / "config.json").read_text("utf-8"))["recipe"]["data"]["path"] == "/n\ufffd"


def test_packages_have_names_of_packages(model):
    for package in ("evil; rm -rf /", "a\nb", ""):
        edited(model, components={"generators.x": {"package": package, "version": "1"}})
        assert "components.generators.x.package: String should match pattern" in refusal(model)


def test_a_newer_version_is_named(model):
    edited(model, inrvid_version="99.1.0", generator={"type": "inr_gan", "unheard_of": 1})
    assert "it was made by inrvid 99.1.0, this is" in refusal(model)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda value: value * math.nan, "is not finite"),
        (lambda value: value + math.inf, "is not finite"),
        (lambda value: value.double() * 1e300, "is not finite"),
        (lambda value: value.long(), "is of int64, weights are floating-point numbers"),
        (lambda value: value > 0, "is of bool"),
    ],
)
def test_weights_are_finite_floating_point_numbers(model, change, told):
    tensors = load_file(unsealed(model) / "model.safetensors")
    tensors["mapping.layers.0.weight"] = change(tensors["mapping.layers.0.weight"])
    save_file(tensors, model / "model.safetensors")
    assert f"mapping.layers.0.weight {told}" in refusal(model)


def to_pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda p: p.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "git lfs pull"),
        (lambda p: p.write_bytes(b""), "cut short: 0 bytes"),
        (lambda p: p.write_bytes(b"\xff" * 64), "not a safetensors file, or damaged"),
        (lambda p: p.unlink(), "cannot be read: No such file"),
        (lambda p: p.unlink() or p.mkdir(), "a folder, not a file"),
        (to_pipe, "a pipe, not a file"),
    ],
)
def test_what_stands_in_the_weights_place_is_named(model, damage, told):
    damage(unsealed(model) / "model.safetensors")
    assert told in refusal(model)


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(b"[" * 100000), lambda p: p.write_bytes(b"\xff"), to_pipe])
def test_what_stands_in_the_config_s_place_is_named(model, damage):
    damage(model / "config.json")
    text = refusal(model)
    assert "config.json" in text
    assert "\n" not in text


def test_weights_that_changed_since_are_refused_unparsed(model):
    weights = model / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1  # a bit of a number: nothing else would see it
    weights.write_bytes(content)
    assert "model.safetensors: damaged, or changed since it was saved: sha256" in refusal(model)


@pytest.mark.parametrize("written", [0, 1, 2])
def test_who_is_killed_while_a_model_is_replaced_leaves_a_pair_that_fits(model, monkeypatch, written):
    left = [written]

    def killed_after(write):
        def writes(path, content):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            write(path, content)

        return writes

    for name in ("write_text", "write_bytes"):
        monkeypatch.setattr(files, name, killed_after(getattr(files, name)))
    new = build_generator(small_generator("inr_gan", "global", clip_length=9), seed=4)
    with pytest.raises(KeyboardInterrupt):
        new.save_pretrained(model)
    loaded = VideoGenerator.from_pretrained(model)
    assert torch.equal(loaded.mapping.layers[0].weight, new.mapping.layers[0].weight) == (written == 2)
    assert (loaded.clip_length == 9) == (written == 2)  # the weights', whatever config.json says by then


def test_a_discriminator_is_saved_and_found_beside_its_generator(model):
    D = build_discriminator({"type": "dual", "resolution": 16, "channel_base": 64, "channel_max": 8}, seed=5)
    D.save_pretrained(model / "discriminator")
    for name in (model, model / "discriminator", model.parent):
        loaded = Discriminator.from_pretrained(name)
        assert loaded.config == D.config
        assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), D.parameters(), strict=True))
    with pytest.raises(InrvidError, match=r"has no generator"):
        VideoGenerator.from_pretrained(model / "discriminator")


def test_half_the_bytes_for_the_nearest_halves(model, tmp_path):
    G = VideoGenerator.from_pretrained(model)
    G.save_pretrained(tmp_path / "half", dtype="float16")
    loaded = VideoGenerator.from_pretrained(tmp_path / "half")
    for ours, theirs in zip(G.parameters(), loaded.parameters(), strict=True):
        assert theirs.dtype == torch.float32
        assert torch.equal(ours.half().float(), theirs)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (tmp_path / "half", model)]
    assert sizes[0] < 0.75 * sizes[1]
    with torch.no_grad():
        next(G.parameters()).fill_(1e6)
    with pytest.raises(InrvidError, match="float16 has no number for"):
        G.save_pretrained(tmp_path / "half", dtype="float16")
    VideoGenerator.from_pretrained(tmp_path / "half")  # as it was


def test_a_file_of_weights_says_what_it_is_of(model):
    metadata = read_metadata(model / "model.safetensors")
    G = build_generator(json.loads(metadata["generator"]))
    assert G.state_dict().keys() == read_weights(model / "model.safetensors").keys()
    assert json.loads(metadata["components"])["motions.global"]["package"] == "inrvid"


def test_newer_formats_are_refused_and_older_ones_migrated(model, monkeypatch):
    edited(model, format=files.FORMAT + 1, inrvid_version="9.1.0")
    assert f"its format is {files.FORMAT + 1}, this version reads up to" in refusal(model)
    assert "pip install -U 'inrvid>=9.1.0'" in refusal(model)
    for wrong in ("1", -1, True, 1.5):
        edited(model, format=wrong)
        assert "format: should be a number" in refusal(model)
    edited(model, format=0, of_old=json.loads((model / "config.json").read_text())["generator"], generator=None)
    monkeypatch.setattr(files, "MIGRATIONS", [lambda config: {**config, "generator": config["of_old"]}])
    VideoGenerator.from_pretrained(model)


def test_the_same_model_is_the_same_file(model):
    first = (model / "model.safetensors").read_bytes()
    for _ in range(4):  # the order of metadata was another each time
        VideoGenerator.from_pretrained(model).save_pretrained(model)
        assert (model / "model.safetensors").read_bytes() == first


def test_names_of_classes_stay_with_a_model(tmp_path):
    """Of as many classes as it has: others are of something else, and not believed."""
    G = build_generator(small_generator("inr_gan", "global", label_dim=2))
    G.save_pretrained(tmp_path / "a", class_names=["cats", "dogs"])
    loaded = VideoGenerator.from_pretrained(tmp_path / "a")
    loaded.save_pretrained(tmp_path / "b")
    assert VideoGenerator.from_pretrained(tmp_path / "b").class_names == ("cats", "dogs")
    G.save_pretrained(tmp_path / "c", class_names=["cats"])
    assert VideoGenerator.from_pretrained(tmp_path / "c").class_names == ()
    G.save_pretrained(tmp_path / "d")
    assert "class_names" not in json.loads((tmp_path / "d" / "config.json").read_text())
