"""The folder that is published: it loads as it stands, says nothing of the machine, and its card's code runs."""

from __future__ import annotations

import json
import re

import pytest
import torch
import yaml
from huggingface_hub import ModelCard, constants

from inrvid import InrvidError, VideoGenerator, build_discriminator, build_generator
from inrvid.discriminators.base import Discriminator
from inrvid.errors import ModelError
from inrvid.models import hub as transport
from inrvid.models.hub import _own_files
from inrvid.models.pretrained import BESIDE
from inrvid.publishing import samples
from inrvid.publishing.about import without_paths
from inrvid.publishing.card import renamed
from inrvid.publishing.folder import is_packed, named_for, pack
from inrvid.publishing.listing import listing
from inrvid.publishing.pull import pull
from inrvid.publishing.show import page

from ..models.hub_server import hub
from ..small import small_generator

RECORD = {
    "protocol": "inrvid", "protocol_version": 1, "settings": {}, "resolution": [32, 32], "date": "2026-01-01",
    "device": "cpu", "variant": {"clips": 300}, "notes": ["a note"],
    "real": {"name": "/home/me/ucf", "kind": "data", "fingerprint": "1", "fps": 25.0},
    "fake": {"name": "m", "kind": "model", "fingerprint": "2", "fps": 25.0, "clips": {"16x1": 300}},
    "scores": {"fvd16": {"value": 123.4, "error": 5.6, "how": "halves"}},
}  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    """As a training leaves it."""
    monkeypatch.setattr(samples, "FRAMES", 20)
    folder = tmp_path / "run"
    G = build_generator(small_generator("inr_gan", "conv1d"), seed=3)
    recipe = {
        "name": "scenes", "description": "Scenes.", "hub": {"license": "cc-by-4.0", "repo_id": "me/scenes"},
        "data": {"type": "videos", "path": "/home/me/secret/clips"},
        "train": {"init": "/home/me/secret/before"},
    }  # fmt: skip
    training = {"device": "a GPU", "processes": 1}
    G.save_pretrained(folder / "model", recipe=recipe, clips=1234567, data_fingerprint="ab" * 32, training=training)
    D = build_discriminator({"type": "dual", "resolution": 32, "channel_base": 64, "channel_max": 8})
    D.save_pretrained(folder / "model" / "discriminator")
    (folder / "evaluation.json").write_text(json.dumps(RECORD))
    # The third is of a run that was resumed, the fourth one of scores.
    lines = [(1000, 10.0), (3000, 20.0), (2000, 5.0), (3900, None), (4000, 10.0)]
    rates = [{"score/fvd": 9.0} if rate is None else {"clips_per_second": rate} for _, rate in lines]
    text = "".join(json.dumps({"step": 1, "clips": c, **r}) + "\n" for (c, _), r in zip(lines, rates, strict=True))
    (folder / "metrics.jsonl").write_text(text)
    return folder


def test_a_run_becomes_a_model_that_loads_and_says_nothing_of_its_machine(run, tmp_path):
    pack(run, tmp_path / "out")
    out = tmp_path / "out"
    G, same = VideoGenerator.from_pretrained(run), VideoGenerator.from_pretrained(out)
    assert all(torch.equal(a, b) for a, b in zip(G.parameters(), same.parameters(), strict=True))
    assert Discriminator.from_pretrained(out).config == Discriminator.from_pretrained(run).config
    config = json.loads((out / "config.json").read_text())
    assert config["clips"] == 1234567
    assert config["training"] == {"device": "a GPU", "processes": 1, "hours": round(300 / 3600, 2)}
    assert yaml.safe_load((out / "recipe.yaml").read_text())["data"]["path"] == "clips"
    assert yaml.safe_load((out / "recipe.yaml").read_text())["hub"] == {"license": "cc-by-4.0", "repo_id": None}
    for path in out.rglob("*"):
        if path.suffix in (".json", ".yaml", ".md"):
            assert "/home" not in path.read_text()
    assert is_packed(out)


def test_half_and_without_what_only_training_needs(run, tmp_path):
    pack(run, tmp_path / "out")
    size = (tmp_path / "out" / "model.safetensors").stat().st_size
    pack(run, tmp_path / "out", dtype="float16", for_training=False)
    assert (tmp_path / "out" / "model.safetensors").stat().st_size < 0.75 * size
    assert not (tmp_path / "out" / "discriminator").exists()


def test_the_card_has_what_is_needed_to_judge_and_what_the_hub_reads(run, tmp_path):
    pack(run, tmp_path / "out", name="me/scenes", data_license="Clips of mine, CC BY 4.0.")
    card = ModelCard.load(tmp_path / "out" / "README.md")
    assert card.data.library_name == "inrvid"
    assert card.data.license == "cc-by-4.0"
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_name) == ("fvd16", 123.4, "ucf")
    assert (tmp_path / "out" / card.data.to_dict()["widget"][0]["output"]["url"]).is_file()
    for told in (
        "Clips of mine, CC BY 4.0.",
        "1,234,567 clips were shown to the discriminator, in 0.08 hours on a GPU, beginning from `before`",
        "| fvd16 | 123.4 | 5.6 | lower is better |",
        "inrvid 1`, a variant of it (clips=300)",
        "- a note",
        "inrvid generate me/scenes",
        "`conv1d`: ",
        "--init me/scenes",
    ):
        assert told in card.text


def test_the_card_s_code_runs(run, tmp_path):
    pack(run, tmp_path / "out", name=str(tmp_path / "out"))
    code = re.search(r"```python\n(.*?)```", (tmp_path / "out" / "README.md").read_text(), re.DOTALL)[1]
    names = {}
    exec(code, names)
    assert list(names["frames"].shape) == json.loads(re.search(r"# (\[.*?\])", code)[1])


def test_a_model_that_says_little_has_a_card_all_the_same(tmp_path):
    build_generator(small_generator("stylegan2", "static")).save_pretrained(tmp_path / "model")
    pack(tmp_path / "model", tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    assert text.count("Not recorded.") == 2
    assert "None were measured by a protocol. `inrvid evaluate RUN --against VIDEOS -o RUN/evaluation.json`" in text


def test_large_frames_are_jpeg_in_pictures(run, tmp_path, monkeypatch):
    out = tmp_path / "out"
    pack(run, out)
    monkeypatch.setattr("inrvid.publishing.samples.LARGE", 8)
    pack(run, out)
    assert sorted(path.name for path in (out / "samples").iterdir()) == [
        "long.jpg",
        "long.mp4",
        "seeds.jpg",
        "seeds.mp4",
    ]
    card = (out / "README.md").read_text()
    assert "](samples/seeds.jpg)" in card
    assert "](samples/long.jpg)" in card
    assert ".png" not in card


def test_selected_seeds_are_said_apart_and_longer_samples_are_of_what_has_no_end(run, tmp_path):
    out, samples = tmp_path / "out", tmp_path / "out" / "samples"
    pack(run, out, best=[7, 3])
    card = (out / "README.md").read_text()
    assert "**Selected**: seeds 7, 3" in card
    assert "The same seeds for 20 frames" in card
    assert "url: samples/long.mp4" in card
    kept = {path.name: path.read_bytes() for path in samples.iterdir()}
    assert set(kept) == {f"{name}.{kind}" for name in ("seeds", "long", "best") for kind in ("mp4", "png")}
    pack(out, tmp_path / "again")
    assert (tmp_path / "again" / "samples" / "best.png").read_bytes() == kept["best.png"]  # it knows which they were
    build_generator(small_generator("inr_gan", "global")).save_pretrained(tmp_path / "ends")
    pack(tmp_path / "ends", out)
    assert sorted(path.name for path in samples.iterdir()) == ["seeds.mp4", "seeds.png"]
    config = json.loads((run / "model" / "config.json").read_text())
    (run / "model" / "config.json").write_text(json.dumps({**config, "best_seeds": [-1, 5]}))  # anybody's
    pack(run, out)
    assert "best_seeds" not in json.loads((out / "config.json").read_text())
    assert not (samples / "best.png").exists()
    for wrong in ([], [1, 1], [-1], [2**64], [1.5], list(range(17))):
        with pytest.raises(InrvidError, match="--best: 1 to 16 different seeds, from 0 on"):
            pack(run, tmp_path / "new", best=wrong)
    assert not (tmp_path / "new").exists()


def test_files_of_others_are_not_written_over(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("x")
    with pytest.raises(InrvidError, match="has files already, and is not a model with its card"):
        pack(run, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["thesis.txt"]
    with pytest.raises(InrvidError, match=r"not a model: it has no config\.json"):
        pack(tmp_path / "out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_there_and_back(run, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with hub(monkeypatch) as remote:
        for _ in range(2):  # the second time nothing has changed: the samples are the same files, too
            pack(run, tmp_path / "out", name="me/scenes")
            transport.push(tmp_path / "out", "me/scenes", own=BESIDE)
        assert len(remote.repos["me/scenes"].commits) == 2
        got = pull("me/scenes", tmp_path / "pulled")
        with pytest.raises(InrvidError, match="is there already"):
            pull("me/scenes", tmp_path / "pulled")
        pack(run, tmp_path / "out", name="me/scenes", for_training=False)
        transport.push(tmp_path / "out", "me/scenes", own=BESIDE)
        assert not any(name.startswith("discriminator/") for name in remote.repos["me/scenes"].files)
    packed = {path.relative_to(got): path.read_bytes() for path in got.rglob("*") if path.is_file()}
    assert packed[(got / "discriminator" / "config.json").relative_to(got)]
    assert Discriminator.from_pretrained(got)


def test_a_page_of_the_card_holds_its_pictures(run, tmp_path):
    pack(run, tmp_path / "out")
    html = page(tmp_path / "out", (tmp_path / "out" / "README.md").read_text())
    assert html.count("data:image/png;base64,") == 2
    assert html.count("data:video/mp4;base64,") == 2
    assert "<table>" in html


def test_what_an_older_model_left_does_not_stay(run, tmp_path):
    pack(run, tmp_path / "out")
    (run / "evaluation.json").unlink()
    pack(run, tmp_path / "out")
    assert not (tmp_path / "out" / "evaluation.json").exists()
    assert "None were measured" in (tmp_path / "out" / "README.md").read_text()


def test_a_card_that_was_edited_is_kept_and_goes_out_by_the_repository_s_name(run, tmp_path):
    out = tmp_path / "published"
    pack(run, out)
    card = out / "README.md"
    card.write_text(card.read_text().replace("Scenes.", "Scenes of mine, published by me."))
    with pytest.raises(
        InrvidError, match=r"README\.md: was edited, or written by another version, and would be written anew"
    ):
        pack(run, out)
    text = (named_for(out, tmp_path / "copy", "me/scenes") / "README.md").read_text()
    assert 'from_pretrained("me/scenes")' in text
    assert "inrvid generate me/scenes -o" in text
    assert "Scenes of mine, published by me." in text
    assert 'from_pretrained("published")' in card.read_text()


def test_what_others_wrote_into_a_configuration_is_taken_as_it_is(tmp_path):
    G = build_generator(small_generator("stylegan2", "static"))
    for odd in ({"recipe": "quickstart"}, {"recipe": None, "clips": "many"}, {"training": [1], "data_fingerprint": 3}):
        G.save_pretrained(tmp_path / "model", **odd)
        pack(tmp_path / "model", tmp_path / "out")
        assert is_packed(tmp_path / "out")
        assert listing(str(tmp_path), as_json=False).startswith("model")


def test_paths_are_found_wherever_they_are():
    told = {"a": ["/home/me/x.pt", {"b": "~/videos", "c": "../y"}], "d": "a/b c", "e": 1, "f": "C:\\me\\z"}
    assert without_paths(told) == {"a": ["x.pt", {"b": "videos", "c": "y"}], "d": "a/b c", "e": 1, "f": "z"}
    told = {"path": "data/clients/acme", "a": "file:///home/me/v", "b": "\\\\server\\share\\w", "c": "~me/x"}
    assert without_paths(told) == {"path": "acme", "a": "v", "b": "w", "c": "x"}
    honest = "~100 h of videos, see https://example.org/terms"
    assert without_paths({"data_license": honest}) == {"data_license": honest}


def test_a_copy_under_another_name_publishes_no_more_than_the_folder(run, tmp_path):
    pack(run, tmp_path / "out", name="me/model")
    (tmp_path / "secret.txt").write_text("token")
    (tmp_path / "out" / "samples" / "notes.txt").symlink_to(tmp_path / "secret.txt")
    copy = named_for(tmp_path / "out", tmp_path / "copy", "me/other")
    with pytest.raises(ModelError, match="a link to a file elsewhere, which would be published"):
        list(_own_files(copy))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_folder_is_packed_whole_or_not_at_all(run, tmp_path, monkeypatch, error):
    pack(run, tmp_path / "out")
    before = contents(tmp_path / "out")

    def ended(*arguments):
        raise error

    monkeypatch.setattr("inrvid.publishing.folder.write_samples", ended)
    for name in ("out", "new"):
        with pytest.raises(type(error)) as told:
            pack(run, tmp_path / name)
        if isinstance(error, OSError):
            assert told.value.filename == str(tmp_path / name)
    assert contents(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir() if path != run] == ["out"]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_listing_is_a_line_a_model_whatever_they_say_of_themselves(tmp_path):
    G = build_generator(small_generator("stylegan2", "static"))
    G.save_pretrained(tmp_path / "model", recipe={"description": "\x1b]0;owned\x07\nand more"})
    told = listing(str(tmp_path), as_json=False)
    assert told == "model  \N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER} and more"


def test_a_card_of_others_shows_no_file_of_ours(run, tmp_path):
    pack(run, tmp_path / "out")
    (tmp_path / "mine.png").write_bytes((tmp_path / "out" / "samples" / "seeds.png").read_bytes())
    html = page(tmp_path / "out", f"![x]({tmp_path}/mine.png) ![y](../mine.png)")
    assert "data:image" not in html
    assert "default-src 'none'" in html  # and fetches none of others


def test_a_card_by_another_name_has_it_as_its_title():
    card = "---\nx: y\n---\n\n# out\n\n`inrvid train R --init out`\n\n# out of it\n"
    assert renamed(card, "out", "me/scenes") == card.replace("# out\n", "# scenes\n").replace(
        "--init out", "--init me/scenes"
    )
