"""Recipes: layers, derivation, and messages that say where, what and what to do."""

from __future__ import annotations

import json
import os

import jsonschema
import pytest
import yaml

from inrvid import InrvidError, build_generator, load_recipe
from inrvid.recipe.file import own_recipes
from inrvid.recipe.schema import json_schema


def write(path, text):
    path.write_text(text)
    return path


def problem(source, *overrides):
    with pytest.raises(InrvidError) as caught:
        load_recipe(source, overrides)
    return str(caught.value)


@pytest.mark.parametrize("name", own_recipes())
def test_every_recipe_is_valid_and_survives_saving(name, tmp_path):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert load_recipe(write(tmp_path / "recipe.yaml", recipe.to_yaml())) == recipe


@pytest.mark.parametrize("path", own_recipes().values(), ids=lambda path: path.stem)
def test_every_recipe_says_which_data_and_where_it_is_from(path):
    """In the header, but for what its paper says."""
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    paper = load_recipe(path).paper
    words = ("Data:",) if paper and paper.days else ("Data:", "Time:") if paper else ("Source:", "Data:", "Time:")
    for word in words:
        assert any(line.startswith(f"# {word}") for line in header), f"{path.name} lacks '{word}'"


@pytest.mark.parametrize("path", own_recipes().values(), ids=lambda path: path.stem)
def test_a_recipe_with_a_paper_says_its_score_or_why_there_is_none(path):
    paper = load_recipe(path).paper
    assert paper is None or bool(paper.scores) != ("# Score:" in path.read_text())
    assert paper is None or bool(paper.scores) == bool(paper.protocol)


def test_a_paper_is_not_inherited(tmp_path):
    """What is changed is no longer the paper's experiment; the command line changes the recipe itself."""
    assert load_recipe("digan_ucf").paper.scores == {"fvd": 577, "is": 32.7}
    assert load_recipe(write(tmp_path / "mine.yaml", "extends: digan_ucf\n")).paper is None
    own = write(tmp_path / "own.yaml", "extends: digan_ucf\npaper: {title: mine}\n")
    assert load_recipe(own).paper.model_dump(exclude_defaults=True) == {"title": "mine"}
    assert load_recipe(write(tmp_path / "two.yaml", f"extends: {own}\n")).paper is None
    assert load_recipe({"extends": "digan_ucf"}).paper is None
    assert load_recipe("digan_ucf", ["paper.days=3"]).paper.scores == {"fvd": 577, "is": 32.7}
    assert load_recipe("digan_ucf", ["paper=null"]).paper is None


@pytest.mark.parametrize(
    ("paper", "told"),
    [
        ("{table: 3}", ":1  paper.title: this key is required"),
        ("{title: x, tabel: 3}", ":1  paper.tabel: unknown key. Did you mean 'table'?"),
        ("{title: x, table: 0}", ":1  paper.table: should be greater than or equal to 1, or a valid tuple, got 0"),
        ("{title: x, scores: {fvd: .nan}}", ":1  paper.scores.fvd: should be a finite number"),
        ("{title: x, scores: {FVD 16: 3}}", ":1  paper.scores.FVD 16"),
        ("{title: x, plus_minus: {fvd: 3}}", ":1  paper: plus_minus names fvd, which scores does not have"),
    ],
)
def test_a_paper_is_checked(tmp_path, paper, told):
    assert told in problem(write(tmp_path / "a.yaml", f"paper: {paper}\nextends: digan_ucf\n"))


def test_a_paper_s_place():
    assert load_recipe("stylegan_v_ffs_k2").paper.place == "table 3, k = 2, FaceForensics"
    assert load_recipe("digan_ucf").paper.place.startswith("tables 5, 7, UCF-101")
    assert load_recipe("inr_gan_image").paper.place == ""


def test_published_size():
    """63.5 M parameters, as the paper's generator."""
    count = sum(p.numel() for p in build_generator("digan_ucf").parameters())
    assert round(count / 1e6, 1) == 63.5


def test_overrides_and_scientific_numbers():
    recipe = load_recipe("digan_ucf", ["optim.generator.lr=1e-3", "train.batch_size=16", "data.xflip=false"])
    assert recipe.optim.generator.lr == 1e-3
    assert recipe.optim.generator.betas == (0.0, 0.99)
    assert recipe.train.batch_size == 16
    assert recipe.data.xflip is False


def test_unknown_key_says_file_line_and_nearest(tmp_path):
    path = write(tmp_path / "a.yaml", "extends: digan_ucf\ngenerator:\n  motion:\n    typ: globl\n")
    message = problem(path)
    assert message.startswith(f"{path}:4  generator.motion.typ: unknown key. Did you mean 'type'?")


def test_unknown_name_says_nearest_and_what_exists(tmp_path):
    path = write(tmp_path / "a.yaml", "extends: digan_ucf\ngenerator:\n  motion:\n    type: globl\n")
    message = problem(path)
    assert message.startswith(f"{path}:4  generator.motion.type: no motion named 'globl'. Did you mean 'global'?")
    assert "available: " in message
    assert "inrvid plugins list motions" in message


def test_every_problem_is_reported_with_its_own_line(tmp_path):
    text = "extends: digan_ucf\ntrain:\n  batch_size: ten\n  kclip: 5\ngenerator: {resolution: 100}\n"
    lines = problem(write(tmp_path / "a.yaml", text)).splitlines()
    assert any(":3  train.batch_size: should be a valid integer, got 'ten'" in line for line in lines)
    assert any(":4  train.kclip: unknown key. Did you mean 'kclips'?" in line for line in lines)
    assert any(":5  generator.resolution: should be a power of two" in line for line in lines)


def test_one_mistake_is_told_once():
    lines = problem("quickstart", "generator.resolution=33").splitlines()
    assert len(lines) == 1
    assert problem("quickstart", "trian.kclips=1").startswith("--set  trian: unknown key. Did you mean 'train'?")


def test_override_is_named_in_its_error():
    assert problem("digan_ucf", "train.kclips=-1").startswith(
        "--set  train.kclips: should be greater than or equal to 0.001"
    )
    assert "expected key.path=value" in problem("digan_ucf", "train.kclips")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1", ":1  not YAML"),
        ("- 1\n- 2\n", "a recipe is a mapping"),
        ("name: x\nname: y\n", ":2  name: written twice"),
        ("extends: digan_ufc\n", "Did you mean 'digan_ucf'?"),
        ("extends: [a]\n", "extends: expected the name"),
        ("data: 3\nextends: digan_ucf\n", ":1  data.type: expected a data set"),
        ("extends: digan_ucf\ndata: null\n", ":2  data.type: expected a data set"),
    ],
)
def test_bad_files(tmp_path, text, expected):
    assert expected in problem(write(tmp_path / "a.yaml", text))


def test_a_recipe_that_extends_itself(tmp_path):
    path = write(tmp_path / "a.yaml", "extends: a.yaml\n")
    assert "extends itself" in problem(path)


def test_missing_sections(tmp_path):
    message = problem(write(tmp_path / "a.yaml", "name: x\n"))
    for key in ("data", "generator", "discriminator", "time_sampler"):
        assert f"{key}: this key is required" in message


def test_missing_file_of_an_installed_recipe():
    assert "write 'quickstart'" in problem("nowhere/quickstart.yaml")


def test_type_change_keeps_what_the_new_type_has_and_reports_the_rest():
    notes = []
    recipe = load_recipe(
        "digan_ucf", ["generator.coords.type=log", "generator.motion.type=static"], report=notes.append
    )
    assert recipe.generator.coords.type == "log"
    assert recipe.generator.fmm_rank == 10
    assert notes == [
        "generator.coords: type fourier → log; dropped keys that the new type lacks: sigma",
        "generator.motion: type global → static; dropped keys that the new type lacks: sigma_t",
    ]
    recipe = load_recipe("digan_ucf", ["generator.coords.type=random"])
    assert recipe.generator.coords.sigma == 10**0.5  # `random` has a sigma too: the inherited value is kept


def test_what_an_extended_recipe_drops_is_not_reported(tmp_path):
    """Nor where that is a copy of an installed one: a clone's, beside a package's."""
    write(tmp_path / "parent.yaml", "extends: digan_ucf\ngenerator: {motion: {type: static}}\n")
    notes = []
    load_recipe(write(tmp_path / "mine.yaml", "extends: parent.yaml\nseed: 1\n"), report=notes.append)
    assert notes == []
    mine = write(tmp_path / "mine.yaml", "extends: parent.yaml\ngenerator: {coords: {type: log}}\n")
    load_recipe(mine, report=notes.append)
    assert notes == ["generator.coords: type fourier → log; dropped keys that the new type lacks: sigma"]
    load_recipe(tmp_path / "parent.yaml", report=notes.append)
    assert notes[1:] == ["generator.motion: type global → static; dropped keys that the new type lacks: sigma_t"]


def test_own_key_that_the_new_type_lacks_is_an_error():
    message = problem("digan_ucf", "generator.motion.type=static", "generator.motion.sigma_t=1")
    assert message.startswith("--set  generator.motion.sigma_t: unknown key")


def test_derived_values():
    recipe = load_recipe("digan_ucf", ["generator.resolution=64", "generator.clip_length=32", "generator.label_dim=5"])
    assert recipe.discriminator.resolution == recipe.data.resolution == 64
    assert recipe.discriminator.clip_length == recipe.time_sampler.clip_length == recipe.data.clip_length == 32
    assert recipe.discriminator.label_dim == 5
    assert recipe.data.labels


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("discriminator.resolution=64", "discriminator.resolution: is 64, but generator.resolution is 128"),
        ("data.clip_length=8", "data.clip_length: is 8, but generator.clip_length is 16"),
        ("data.resolution=[128, 64]", "data.resolution: is [128, 64], but generator.resolution is 128"),
        ("time_sampler.frames=3", "time_sampler.frames: is 3, but discriminator.frames is 2"),
        ("discriminator.frames=3", "discriminator.frames: should be 2"),
    ],
)
def test_contradictions_are_refused(override, expected):
    assert expected in problem("digan_ucf", override)


def test_conditional_recipe_without_labels_is_refused():
    assert "a conditional generator needs labels" in problem("digan_ucf_cond", "data.labels=false")


def test_schema_accepts_recipes_and_names_components():
    schema = json_schema()
    generator = schema["properties"]["generator"]
    names = {choice["properties"]["type"]["const"] for choice in generator["anyOf"]}
    assert "inr_gan" in names
    assert "$ref" not in json.dumps(schema)
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", own_recipes().values(), ids=lambda path: path.stem)
def test_schema_accepts_every_recipe(path):
    """As an editor sees the file: with what it extends left out."""
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(json.dumps(yaml.safe_load(path.read_text()))))


def test_schema_refuses_what_the_loader_refuses():
    validator = jsonschema.Draft202012Validator(json_schema())
    assert not validator.is_valid({"generator": {"type": "inr_gan", "fmm_rnk": 3}})
    assert not validator.is_valid({"generator": {"type": "inr_gam"}})
    assert not validator.is_valid({"train": {"batch_size": "ten"}})
    assert not validator.is_valid({"sed": 1})


def test_a_free_mapping_is_emptied():
    assert load_recipe("quickstart").eval.data == {"split": "test"}
    assert load_recipe("quickstart", ["eval.data={}"]).eval.data == {}


def test_a_folder_of_a_recipe_s_name_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart").mkdir()
    assert load_recipe("quickstart").name == "quickstart"


def test_name_is_the_files_own(tmp_path):
    assert load_recipe(write(tmp_path / "mine.yaml", "extends: digan_ucf\n")).name == "mine"
    assert load_recipe(write(tmp_path / "other.yaml", "extends: digan_ucf\nname: x\n")).name == "x"
    assert load_recipe("digan_ucf", ["name=y"]).name == "y"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed: 1\nseed: 2\n", ":2  seed: written twice"),
        ("seed: !!python/name:os.system x\n", ":1  not YAML: the tag !!python/name:os.system is not admitted"),
        ("seed: !!int abc\n", ":1  not YAML: 'abc' is not of the kind 'int'"),
        ("seed: " + "9" * 5000, ":1  not YAML: a number of too many digits"),
        ("seed: " + "[" * 5000, ":1  not YAML: nested too deeply"),
        ("a: &a {b: *a}\n", ":1  not YAML: nested too deeply, or an alias of itself"),
        ('loss: {type: "\\ud800"}\n', "loss.type: no loss named"),
        ('"\\ud800": 1\n', ":1  not YAML: a key should be a name or a whole number"),
        ("? [a]\n: 1\n", ":1  not YAML: a key should be a name or a whole number"),
        ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(8)
        ), "more than 100000 values, aliases unfolded"),
        ("name: a\0b", "not YAML: unacceptable character"),
        ("name: ../../x\n", ":1  name: should be the name of a file"),
        ("name: '/abs'\n", ":1  name: should be the name of a file"),
        ("train: {kclips: .inf}\n", ":1  train.kclips: should be a finite number"),
        ("loss: {r1_gamma: 1e-320}\n", ":1  loss.r1_gamma: should be from 1e-30 to 1e+30"),
        ("data: {type: procedural, workers: 999}\n", ":1  data.workers: should be less than or equal to 256, or '"),
    ],
)  # fmt: skip
def test_what_is_no_plain_data_is_refused_in_a_line(tmp_path, text, told):
    (tmp_path / "x.yaml").write_text(text)
    told_now = problem(str(tmp_path / "x.yaml"))
    assert told in told_now


def test_dates_are_text(tmp_path):
    (tmp_path / "x.yaml").write_text("extends: quickstart\nname: 2001-01-01\n")
    assert load_recipe(tmp_path / "x.yaml").name == "2001-01-01"


def test_data_paths_are_no_yaml(tmp_path):
    """`--data "my #2"` trained on `my`, once."""
    name = "my #2: [x"
    assert load_recipe("quickstart", [("data.type", "videos"), ("data.path", name)]).data.path == name


def test_a_pipe_is_no_recipe(tmp_path):
    os.mkfifo(tmp_path / "x.yaml")
    assert "cannot be read: a pipe, not a file" in problem(str(tmp_path / "x.yaml"))


def test_merge_keys_are_refused(tmp_path):
    """What they unfold to is not bounded."""
    told = problem(write(tmp_path / "a.yaml", "extends: quickstart\neval: &a {clips: 2}\ntrain: {<<: *a}\n"))
    assert "a.yaml:3  not YAML: merge keys (<<) are not admitted" in told
    assert load_recipe(write(tmp_path / "b.yaml", "extends: quickstart\ndescription: '<<'\n")).description == "<<"


@pytest.mark.parametrize("name", ["1e5", "7e10", "1_0e+2", "2001-01-01", "null", "0x1f", "on"])
def test_names_that_look_like_something_else_survive_saving(tmp_path, name):
    recipe = load_recipe("quickstart", [("name", name)])
    assert load_recipe(write(tmp_path / "again.yaml", recipe.to_yaml())).name == name
    assert yaml.safe_load(recipe.to_yaml())["name"] == name  # by other readers, too


def test_a_changed_network_is_no_more_the_papers():
    assert load_recipe("digan_ucf", ["train.kclips=1"]).paper is not None
    assert load_recipe("digan_ucf", ["generator.motion.sigma_t=0.5"]).paper is None


def test_a_mapping_that_extends_is_another_experiment():
    assert load_recipe({"extends": "quickstart"}).name == "recipe"
    assert load_recipe({"extends": "quickstart", "data": {"resolution": (32, 32)}}).data.resolution == (32, 32)


def test_a_recipe_that_extends_itself_by_another_name(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    path = write(tmp_path / "here" / "a.yaml", "extends: ../here/a.yaml\n")
    assert "extends itself" in problem(path)
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "base.yaml", "extends: quickstart\ntrain: {kclips: 3}\n")
    assert load_recipe(write(tmp_path / "b.yaml", "extends: ~/base.yaml\n")).train.kclips == 3
