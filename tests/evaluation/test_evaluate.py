"""A protocol applied: what is chosen, what is refused, and that nothing else decides a score."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inrvid import InrvidError, build_generator, load_recipe
from inrvid.config import PartConfig
from inrvid.errors import DataError
from inrvid.evaluation.clips import Clip, DatasetClips, GeneratorClips, Window, classes_of
from inrvid.evaluation.detectors.base import Detector, DetectorDigest
from inrvid.evaluation.distances import frechet_distance
from inrvid.evaluation.evaluate import Evaluation, Subject
from inrvid.evaluation.features import Share, features_of, load_features, save_features
from inrvid.evaluation.protocol import Protocol, load_protocol, with_weights
from inrvid.evaluation.protocol_files import PROTOCOLS
from inrvid.evaluation.record import Side, read_record
from inrvid.evaluation.score import higher_is_better
from inrvid.evaluation.subjects import open_given, real_subject
from inrvid.registry import registry
from inrvid.video_io import write_video

from ..small import small_generator

CPU = torch.device("cpu")
STATISTICS = {"type": "statistics"}
RANDOM = {"type": "fvd", "detector": {"type": "random"}}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path / "cache"))


def dataset(split="train", videos=24, frames=16, **keys):
    config = {"type": "procedural", "resolution": 16, "split": split, "videos": videos, "frames": frames}
    return registry("datasets").build({**config, "clip_length": 2, **keys})


def subject(data, **keys):
    clips = DatasetClips(data, **keys)
    return Subject(clips, Side(name=clips.name, kind="data", fingerprint=clips.fingerprint, fps=25))


def protocol(*metrics, **keys):
    return Protocol.model_validate(
        {"name": "own", "clips": 24, "metrics": metrics or (STATISTICS,), **keys}, strict=False
    )


def evaluate(of, real, fake, **keys):
    settings = {"clip_length": 8, "resolution": (16, 16), "device": CPU, "force": True, **keys}
    return Evaluation(of, {}, real, fake if isinstance(fake, list) else [fake], **settings)()


def test_identical_sets_are_at_distance_zero_and_others_are_not():
    real = subject(dataset())
    same = evaluate(protocol(STATISTICS, RANDOM), real, subject(dataset()))
    other = evaluate(protocol(STATISTICS, RANDOM), real, subject(dataset("test")))
    for name in ("statistics/spatial", "statistics/temporal", "fvd"):
        assert abs(same.scores[name].value) < 1e-5 * other.scores[name].value
    assert other.scores["fvd"].error > 0
    assert other.scores["fvd"].how == "halves"


@pytest.mark.parametrize(("order", "start"), [("shuffled", "anywhere"), ("first", "first")])
def test_clips_that_are_chosen(order, start):
    data, window = dataset(videos=40), Window(4, 2)
    clips = DatasetClips(data, order=order, start=start, seed=3).choose(window, 20)
    videos, starts = zip(*clips, strict=True)
    assert len(set(videos)) == 20
    assert (sorted(videos) == list(range(20))) == (order == "first")
    assert (set(starts) == {0}) == (start == "first")
    assert max(starts) + window.span <= 16


def test_the_release_s_first_videos_are_not_a_random_subset():
    """StyleGAN-V's release takes the first 2,048 in sorted order: of a sorted data set, a few of its classes."""
    data = dataset(videos=40, labels=True)
    first = {clip.video for clip in DatasetClips(data, order="first").choose(Window(4), 10)}
    shuffled = {clip.video for clip in DatasetClips(data).choose(Window(4), 10)}
    assert first == set(range(10)) != shuffled


def test_all_clips_of_a_video_lie_one_behind_the_other():
    clips = DatasetClips(dataset(videos=2), order="first", one_a_video=False).choose(Window(4, 2), 100)
    assert clips == [Clip(0, 0), Clip(0, 7), Clip(1, 0), Clip(1, 7)]


def test_clips_that_begin_at_the_first_frame_begin_where_the_window_does():
    """Frames beyond those of training are scored so; of clips from anywhere, which are real, it changes nothing."""
    data, later = dataset(videos=4), Window(4, 2, 9)
    assert DatasetClips(data, order="first", start="first").choose(later, 4) == [Clip(i, 9) for i in range(4)]
    assert DatasetClips(data, start="first").choose(Window(4, 2, 10), 4) == []
    assert DatasetClips(data, start="first").too_short(Window(4, 2, 10)) == 4
    anywhere = DatasetClips(data)
    assert anywhere.choose(later, 4) == anywhere.choose(Window(4, 2), 4)
    assert anywhere.too_short(Window(4, 2, 10)) == 0
    source = GeneratorClips(build_generator(small_generator("inr_gan", "conv1d")).eval())
    clips = source.choose(later, 2)
    longer = source.read(Window(16), clips)[:, 9::2]
    torch.testing.assert_close(source.read(later, clips), longer, atol=1e-5, rtol=0)


def test_later_windows_see_the_same_real_clips_once():
    read = []

    class Counted(DatasetClips):
        def read(self, window, clips):
            read.append(window)
            return super().read(window, clips)

    data = dataset()
    real = Subject(Counted(data), subject(data).side)
    G = build_generator(small_generator("inr_gan", "global")).eval()
    made = GeneratorClips(G)
    fake = Subject(made, Side(name="G", kind="model", fingerprint=made.fingerprint, fps=25))
    metrics = [{**RANDOM, "frames": 4, "first": first} for first in (0, 40)]
    record = evaluate(protocol(*metrics), real, fake, resolution=(32, 32))
    assert set(record.scores) == {"fvd4", "fvd4t40"}
    assert record.scores["fvd4"].value != record.scores["fvd4t40"].value
    assert len(read) == 2  # 24 clips, 16 at a time
    assert record.real.clips == {"4 frames": 24}
    assert record.fake.clips == {"4 frames": 24, "4 frames, from t = 40": 24}


def test_strides_are_those_of_frames():
    data = dataset()
    read = DatasetClips(data).read(Window(3, 5), [Clip(2, 1)])
    expected = torch.from_numpy(data.read(2, [1, 6, 11])).movedim(-1, 1) / 127.5 - 1
    torch.testing.assert_close(read[0], expected)


class Colour(Detector):
    """Mean colours of clips."""

    digest = DetectorDigest(name="colour", features="3", resize="none")

    def _features(self, clips):
        return clips.mean(dim=(1, 3, 4))


def test_a_fid_of_several_frames_is_of_all_of_them():
    """As the release of StyleGAN-V has it: each frame a row, not each clip's mean."""
    metric = registry("metrics").build({"type": "fid", "frames": 4, "detector": RANDOM["detector"]})
    window, found = metric.window(8), {}
    for split in ("train", "test"):
        source = DatasetClips(dataset(split))
        clips = source.choose(window, 20)  # of more than one batch
        features = features_of(source, window, clips, {"colour": Colour(PartConfig(type="colour"))}, device=CPU)
        frames = torch.cat([source.read(window, [clip])[0] for clip in clips])  # [20 · 4, 3, H, W]
        found[split] = features.by_detector["colour"], frames.double().mean(dim=(2, 3))
    (real, all_real), (fake, all_fake) = found["train"], found["test"]
    assert real.shape == (20, 4, 3)
    torch.testing.assert_close(real.flatten(0, 1), all_real)
    expected = frechet_distance(all_real, all_fake)
    assert metric.score(real, fake, {"": slice(None)})[""] == pytest.approx(expected, rel=1e-4)
    assert registry("metrics").build({"type": "fid", "detector": RANDOM["detector"]}).window(8) == Window(1)


def test_processes_and_order_of_clips_change_nothing():
    source = DatasetClips(dataset(videos=40))
    clips = source.choose(Window(4), 40)
    detectors = {"random": registry("detectors").build({"type": "random"})}

    def run(share):
        return features_of(source, Window(4), clips, detectors, device=CPU, share=share).by_detector["random"]

    alone, slots, barrier = run(Share()), [None, None], threading.Barrier(2)

    def shared(rank):
        def gather(own):
            slots[rank] = own
            barrier.wait()
            return slots

        return run(Share(rank, 2, gather))

    with ThreadPoolExecutor(2) as pool:
        assert all(torch.equal(found, alone) for found in pool.map(shared, range(2)))
    metric, order, parts = registry("metrics").build(RANDOM), torch.randperm(40), detectors["random"].parts
    expected = metric.score(alone, alone[:30], parts)[""]
    assert metric.score(alone[order], alone[:30], parts)[""] == pytest.approx(expected)


def test_too_few_clips_are_refused_before_anything_is_computed():
    real, fake = subject(dataset(videos=24)), subject(dataset("test", videos=12))
    with pytest.raises(
        InrvidError, match=r"procedural: 12 clips of 8 frames, the protocol asks for 24: --set clips=12 --force"
    ):
        evaluate(protocol(), real, fake, force=False)
    with pytest.raises(InrvidError, match="24 clips are too few: below 256"):
        evaluate(protocol(), real, real, force=False)
    record = evaluate(protocol(), real, fake)
    assert any("12 clips of 8 frames" in note for note in record.notes)
    assert record.fake.clips == {"8 frames": 12}


@pytest.mark.parametrize(
    ("asked", "frames", "made", "offered"),
    [
        ({}, 40, 2048, "--set real.one_a_video=false --set clips=120 --force scores more, several of a real video"),
        ({"clips": 100}, 40, 2048, "--set real.one_a_video=false --set clips=100 --force scores more"),
        ({}, 96, 2048, "--set real.one_a_video=false --set clips=288 scores more"),  # enough not to be forced
        ({}, 40, 50, "--set real.one_a_video=false --set clips=50 --force scores more"),  # both sides have so many
        ({}, 40, 24, None),
        ({}, 15, 2048, None),  # a second clip of 8 would end a frame later
        ({"real": {"one_a_video": False}}, 40, 2048, None),
        ({"metrics": [STATISTICS, {**STATISTICS, "frames": 20}]}, 40, 2048, "clips=48 --force scores more"),
        ({"optional": [{**STATISTICS, "frames": 90}]}, 40, 2048, "clips=120 --force scores more"),
    ],
)
def test_where_few_videos_hold_more_clips_these_are_offered(asked, frames, made, offered):
    asked = protocol(*asked.pop("metrics", []), **{"clips": 2048, **asked})
    real = subject(dataset(frames=frames), one_a_video=asked.real.one_a_video)
    fake = subject(dataset("test", videos=made, frames=frames))
    with pytest.raises(InrvidError) as error:
        evaluate(asked, real, fake, force=False)
    assert "scores that many on each side" in str(error.value)
    assert (offered or "") in str(error.value)
    assert ("one_a_video" in str(error.value)) == (offered is not None)


def test_a_single_video_is_offered_its_clips():
    real, fake = subject(dataset(videos=1, frames=800)), subject(dataset("test", videos=300))
    with pytest.raises(
        InrvidError, match=r"1 clips of .*; --set real.one_a_video=false --set clips=100 --force scores"
    ):
        evaluate(protocol(clips=2048), real, fake, force=False)


def test_few_clips_are_told_of_scores_that_they_bias():
    real, told = subject(dataset()), "24 clips: below 2048, distances are biased upwards"
    diagnostics = {"type": "diagnostics", "frames": 16}
    for metric, biased in ((STATISTICS, True), ({**RANDOM, "type": "kvd"}, False), (diagnostics, False)):
        assert (told in evaluate(protocol(metric), real, real).notes) == biased
    assert told in evaluate(protocol(diagnostics, STATISTICS), real, real).notes


def test_videos_that_are_too_short_are_told():
    mixed = subject(dataset(frames=10))
    with pytest.raises(InrvidError, match=r"0 clips of 11 frames \(24 of its videos are shorter than 11 frames\)"):
        evaluate(protocol({**STATISTICS, "frames": 11}), mixed, mixed)


def test_features_of_real_clips_are_kept_until_something_changes(monkeypatch):
    real, fake = subject(dataset()), subject(dataset("test"))
    first = evaluate(protocol(), real, fake)
    monkeypatch.setattr(DatasetClips, "read", refuse(real.source, DatasetClips.read))
    again = evaluate(protocol(), real, fake)
    assert again.scores == first.scores
    with pytest.raises(AssertionError, match="read again"):
        evaluate(protocol(seed=1), real, fake)


def refuse(source, read):
    def refused(self, window, clips):
        assert self is not source, "read again"
        return read(self, window, clips)

    return refused


def test_runs_of_a_generator_are_of_other_seeds_and_their_spread_is_the_error():
    G = build_generator(small_generator("inr_gan", "global")).eval()
    side = Side(name="G", kind="model", fingerprint="", fps=25)
    fakes = [Subject(GeneratorClips(G, first_seed=100 * run), side) for run in range(3)]
    real = subject(dataset(resolution=G.resolution))
    record = evaluate(protocol(runs=3), real, fakes, resolution=(G.resolution, G.resolution))
    score = record.scores["statistics/spatial"]
    assert score.how == "runs"
    assert score.error > 0
    alone = [evaluate(protocol(halves=0), real, fake).scores["statistics/spatial"].value for fake in fakes]
    assert score.value == pytest.approx(np.mean(alone))
    assert score.error == pytest.approx(np.std(alone, ddof=1))


def test_a_generator_s_frames_have_eight_bits_as_files_do():
    G = build_generator(small_generator("inr_gan", "global")).eval()
    clips = [Clip(5, 0), Clip(6, 0)]
    exact, rounded = (GeneratorClips(G, quantise=q).read(Window(2), clips) for q in (False, True))
    levels = (rounded + 1) * 127.5
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert (rounded - exact.clamp(-1, 1)).abs().max() <= 1 / 255 + 1e-6


NEIGHBOURS = {"type": "precision_recall", "detector": {"type": "random"}}
C3D = {"type": "inception_score", "detector": {"type": "c3d"}}


def test_what_is_optional_is_left_out_where_its_weights_are_not_here():
    """And said; what is not optional is refused in the same words."""
    real, missing = subject(dataset()), "no weights of c3d: .*inrvid detectors fetch c3d --from PATH"
    record = evaluate(protocol(STATISTICS, optional=[C3D]), real, real)
    assert list(record.scores) == ["statistics/spatial", "statistics/temporal"]
    assert list(record.detectors) == ["statistics"]
    assert any(re.fullmatch(f"inception_score is left out: {missing}", note) for note in record.notes)
    with pytest.raises(InrvidError, match=f"^{missing}"):
        evaluate(protocol(STATISTICS, C3D), real, real)


def test_what_is_optional_is_measured_where_its_weights_are_here():
    real, optional = subject(dataset()), {"type": "kvd", "detector": {"type": "random"}}
    record = evaluate(protocol(STATISTICS, optional=[optional]), real, real)
    assert list(record.scores) == ["statistics/spatial", "statistics/temporal", "kvd"]
    assert not any("left out" in note for note in record.notes)


@pytest.mark.parametrize(
    ("detector", "told"),
    [
        ({"type": "random"}, "inception_score: random, as it is configured, gives no logits"),
        ({"type": "c3d", "weights": "nowhere.pth"}, "nowhere.pth: cannot be read: No such file"),
    ],
)
def test_optional_metrics_that_are_wrong_are_refused(detector, told):
    """Not to be left out as those are whose weights nobody has brought."""
    real, wrong = subject(dataset()), {"type": "inception_score", "detector": detector}
    with pytest.raises(InrvidError, match=told):
        evaluate(protocol(STATISTICS, optional=[wrong]), real, real)


def test_what_cannot_be_scored_is_known_before_anything_is_computed(monkeypatch):
    """And costs what is optional alone."""
    monkeypatch.setattr("inrvid.evaluation.evaluate.features_of", lambda *arguments, **keys: pytest.fail("computed"))
    real = subject(dataset())
    short = {"type": "fvd", "frames": 4, "detector": {"type": "random"}}
    monkeypatch.setattr(registry("detectors").component("random"), "min_frames", 8)
    with pytest.raises(InrvidError, match="needs at least 8 frames, got 4"):
        evaluate(protocol(RANDOM, short), real, real)
    with pytest.raises(InrvidError, match=r"^precision_recall needs at least 31 real clips, there are 24$"):
        evaluate(protocol({**NEIGHBOURS, "k": 30}), real, real)


def test_what_is_optional_is_left_out_of_too_few_clips():
    real = subject(dataset())
    longer = {"type": "kvd", "frames": 400, "detector": {"type": "random"}}
    record = evaluate(protocol(STATISTICS, optional=[{**NEIGHBOURS, "k": 30}, longer]), real, real)
    assert [*record.scores] == ["statistics/spatial", "statistics/temporal"]
    assert any(note.startswith("kvd400 is left out: procedural: 0 clips of 400 frames") for note in record.notes)
    assert "precision_recall is left out: precision_recall needs at least 31 real clips, there are 24" in record.notes


def test_scores_of_halves_that_are_too_small_are_no_error():
    """Six clips have a precision of neighbours, three have none."""
    real = subject(dataset(videos=6))
    neighbours = {"type": "precision_recall", "detector": {"type": "random"}}
    record = evaluate(protocol(STATISTICS, neighbours, clips=6), real, real)
    assert (record.scores["precision_recall/recall"].value, record.scores["precision_recall/recall"].how) == (1, "none")
    assert record.scores["statistics/spatial"].how == "halves"


def test_two_metrics_of_one_name_are_refused():
    """The second's score would take the place of the first's."""
    real = subject(dataset())
    with pytest.raises(InrvidError, match="statistics: two of one name"):
        evaluate(protocol(STATISTICS, {**STATISTICS, "unbiased": False}), real, real)


def test_features_that_are_computed_again_are_kept(tmp_path):
    """What was wrong in the cache is not there the next time."""
    real, fake, of = subject(dataset()), subject(dataset("test")), protocol(RANDOM)
    right = evaluate(of, real, fake).scores["fvd"].value
    (path,) = (tmp_path / "cache" / "features").iterdir()
    save_features(path, load_features(path) + 1)
    assert evaluate(of, real, fake).scores["fvd"].value > 2 * right
    assert evaluate(of, real, fake, fresh=True).scores["fvd"].value == right
    assert evaluate(of, real, fake).scores["fvd"].value == right


def test_a_clip_that_cannot_be_read_is_refused_from_the_cache_too():
    def real(on_error):
        source = Refusing(dataset(on_error=on_error))
        return Subject(source, subject(source.dataset).side)

    fake, of = subject(dataset("test")), protocol(RANDOM)
    assert evaluate(of, real("skip"), fake).notes[-1].endswith("1 of 24 clips could not be decoded")
    with pytest.raises(DataError, match="broken"):
        evaluate(of, real("fail"), fake)


class Refusing(DatasetClips):
    """Its video number 3 cannot be decoded."""

    def _read(self, window, clip):
        if clip.video != 3:
            return super()._read(window, clip)
        if self.dataset.config.on_error == "fail":
            raise DataError("broken")
        return None


def test_classes_are_generated_as_frequent_as_they_are_in_the_data():
    """By their names: the data may have fewer, and number them otherwise."""
    G = build_generator(small_generator("inr_gan", "global", label_dim=4)).eval()
    G.class_names = ("dawn", "day", "dusk", "night")
    data = dataset(videos=60, labels=True, times_of_day=["dusk", "day"])
    data.records = [record for record in data.records if record.label == "day"][:5] + data.records
    numbers = {"day": 1, "dusk": 2}
    assert classes_of(data, G) == [numbers[record.label] for record in data.records]
    source = GeneratorClips(G, classes=[1] * 9 + [2])
    drawn = source._latents(source.choose(Window(2), 400)).label.argmax(1)
    assert {*drawn.tolist()} == {1, 2}
    assert (drawn == 2).float().mean() == pytest.approx(0.1, abs=0.05)
    assert source.title(source.choose(Window(2), 1)[0]) == f"seed 1000000, class {'day' if drawn[0] == 1 else 'dusk'}"
    assert classes_of(dataset(), G) == []
    G.class_names = ("a", "b", "c", "d")
    assert classes_of(data, G) == []


def test_a_frame_does_not_depend_on_how_training_draws_clips(folders):
    keys = {"xflip": True, "sampling": "clips"}
    config = {"type": "videos", "path": str(folders / "real"), "resolution": 16, "clip_length": 2}
    first, other = (registry("datasets").build({**config, **more}) for more in ({}, keys))
    assert first.fingerprint != other.fingerprint
    assert DatasetClips(first).fingerprint == DatasetClips(other).fingerprint
    labelled, plain = dataset(labels=True), dataset()
    assert labelled.fingerprint != plain.fingerprint
    assert DatasetClips(labelled).fingerprint == DatasetClips(plain).fingerprint


@pytest.mark.parametrize(("labels", "how"), [(True, "as in the data"), (False, "evenly")])
def test_records_say_how_classes_were_drawn(tmp_path, labels, how):
    """And one whose classes were drawn evenly compares with no other."""
    times = ["dawn", "day", "dusk", "night"]
    G = build_generator(small_generator("inr_gan", "global", label_dim=4))
    G.class_names = tuple(times)
    G.save_pretrained(tmp_path)
    of = protocol(STATISTICS, clips=16)
    given, keys = open_given(str(tmp_path), of), {"videos": 40, "frames": 16, "labels": labels, "times_of_day": times}
    real = real_subject("procedural", given, of, keys)
    record = evaluate(of, real, given.subjects(of, real), resolution=(32, 32))
    assert record.fake.settings == {"classes": how}
    assert any(note.startswith("classes are generated evenly") for note in record.notes) != labels
    plain = record.model_copy(update={"fake": record.fake.model_copy(update={"settings": {}})})
    assert (plain.comparable == record.comparable) == labels


def test_videos_that_are_pieces_of_one_file_are_no_independent_draws(tmp_path):
    """The error is that of the same clips of whole files."""
    for number in range(4):
        frames = np.random.default_rng(number).integers(0, 255, (64, 16, 16, 3), np.uint8) // (number + 1)
        write_video(tmp_path / f"{number}.mp4", frames, 25)
    config = {"type": "videos", "path": str(tmp_path), "resolution": 16, "clip_length": 4}
    whole, cut = (registry("datasets").build({**config, "cut": how}) for how in ("whole", "clips"))
    asked = {"frames": 4}
    of = protocol({**STATISTICS, **asked}, clips=64)
    fake = subject(dataset("test", videos=64))
    kept, pieces = (
        evaluate(of, subject(data, order="first", start="first", one_a_video=one), fake)
        for data, one in ((whole, False), (cut, True))
    )
    assert kept.real.clips == pieces.real.clips == {"4 frames": 64}
    assert kept.scores == pieces.scores
    assert any("64 clips of 4 videos, whose clips are alike" in note for note in pieces.notes)


@pytest.mark.parametrize("how", [["resize=squash"], ["interpolation=bilinear"], []])
def test_both_sides_are_resized_alike(folders, how):
    path = str(folders / "wide")
    of, _ = load_protocol("inrvid", ["clips=4", "real.start=first", *how], "statistics")
    given = open_given(path, of, resolution=16)
    real = real_subject(path, given, of)
    found = evaluate(of, real, given.subjects(of, real), resolution=(16, 16))
    assert all(score.value < 1e-9 for score in found.scores.values())


def test_a_model_of_the_hub_brings_its_recipe(tmp_path, monkeypatch):
    build_generator(small_generator("inr_gan", "global"), seed=1).save_pretrained(
        tmp_path, recipe={"data": {"type": "procedural", "videos": 8}}
    )
    monkeypatch.setattr("inrvid.models.hub.fetch", lambda *arguments, **keys: tmp_path)
    given = open_given("me/digan", load_protocol("inrvid")[0])
    assert given.recipe["data"]["videos"] == 8
    with pytest.raises(InrvidError, match="--resolution 64: me/digan is a model, scored at its own"):
        open_given("me/digan", load_protocol("inrvid")[0], resolution=64)


def test_the_metrics_of_a_short_name_are_those_of_that_name(tmp_path):
    """Whatever stands first in the protocol."""
    path = tmp_path / "own.yaml"
    path.write_text(
        "name: own\nmetrics: [{type: fvd, frames: 16, stride: 8}, {type: fvd, frames: 16, unbiased: false}]"
    )
    found, variant = load_protocol(str(path), metrics="fvd16,fvd16s8,fvd8")
    assert [(m.frames, m.stride, m.unbiased) for m in found.metrics] == [(16, 1, False), (16, 8, True), (8, 1, True)]
    assert load_protocol(str(path), metrics="fvd16s1t0")[1] == {}
    assert [metric["frames"] for metric in variant["metrics"]] == [8]


def test_data_of_the_same_names_and_sizes_are_other_data(tmp_path):
    """Their features may not be taken from the cache for each other's."""
    prints = []
    for name, shade in (("a", 30), ("b", 200)):
        for video in range(3):
            for frame in range(4):
                path = tmp_path / name / f"v{video}" / f"{frame}.bmp"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.full((16, 16, 3), shade, np.uint8)).save(path)
        data = registry("datasets").build(
            {"type": "frames", "path": str(tmp_path / name), "resolution": 16, "clip_length": 2}
        )
        prints.append(DatasetClips(data).fingerprint)
    assert prints[0] != prints[1]


class Broken(DatasetClips):
    """None of its videos of an odd number can be decoded."""

    def _read(self, window, clip):
        return super()._read(window, clip) if clip.video in self.readable else None


@pytest.mark.parametrize(("readable", "there"), [(range(16), 16), (range(1), None)])
def test_batches_of_which_nothing_can_be_decoded(readable, there):
    source = Broken(dataset(videos=40), order="first")
    source.readable = readable
    detectors = {"random": registry("detectors").build({"type": "random"})}
    run = lambda: features_of(source, Window(4), source.choose(Window(4), 40), detectors, device=CPU)  # noqa: E731
    if there is None:
        with pytest.raises(InrvidError, match="1 of 40 clips can be decoded, scores need at least 2"):
            run()
    else:
        assert (len(run().by_detector["random"]), run().unreadable) == (16, 24)


def test_what_fails_in_one_process_is_told_in_all():
    source, window = DatasetClips(dataset(videos=40, on_error="fail")), Window(4)
    clips = [*source.choose(window, 39), Clip(99, 0)]  # the last batch is the first process's
    source.dataset.read = failing(source.dataset.read)
    detectors = {"random": registry("detectors").build({"type": "random"})}
    slots, barrier = [None, None], threading.Barrier(2, timeout=60)

    def shared(rank):
        def gather(own):
            slots[rank] = own
            barrier.wait()
            return slots

        with pytest.raises(InrvidError, match="video 99 is broken"):
            features_of(source, window, clips, detectors, device=CPU, share=Share(rank, 2, gather))
        return True

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(shared, range(2)))


def failing(read):
    def failed(video, frames):
        if video == 99:
            raise DataError("video 99 is broken")
        return read(video, frames)

    return failed


# Protocols


@pytest.mark.parametrize("name", PROTOCOLS.own())
def test_protocols_are_valid_and_say_what_they_are(name):
    found, variant = load_protocol(name, metrics="fvd16")
    assert (found.name, variant) == (name, {})
    assert found.description


def test_changes_are_a_variant_and_fewer_metrics_are_not():
    found, variant = load_protocol("inrvid", ["clips=512", "real.order=first"], "statistics16,kvd16,fvd8s2")
    others = variant.pop("metrics")
    assert variant == {"clips": 512, "real.order": "first"}
    assert [metric["type"] for metric in others] == ["statistics", "fvd"]
    assert load_protocol("inrvid", ["description=mine"], "kvd16")[1] == {}
    assert [(m.type, m.frames, m.stride) for m in found.metrics] == [
        ("statistics", 16, 1), ("kvd", 16, 1), ("fvd", 8, 2)
    ]  # fmt: skip
    release, _ = load_protocol("stylegan-v", metrics="fvd16")
    assert not release.metrics[0].unbiased


def test_a_file_of_weights_is_no_variant_and_of_one_detector(tmp_path):
    of = with_weights(load_protocol("digan")[0], tmp_path / "i3d.pt")
    assert {metric.detector.weights for metric in of.metrics} == {str(tmp_path / "i3d.pt")}
    assert of.optional[0].detector.weights is None
    with pytest.raises(InrvidError, match=r"--detector w\.pt: the metrics have several detectors \(c3d, i3d\)"):
        with_weights(load_protocol("digan", metrics="fvd16,inception_score16")[0], Path("w.pt"))
    with pytest.raises(InrvidError, match="the detector statistics takes no file of weights"):
        with_weights(load_protocol("inrvid", metrics="statistics")[0], Path("w.pt"))


def test_inception_scores_are_by_the_classifier_of_published_ones():
    assert load_protocol("inrvid", metrics="inception_score16")[0].metrics[0].detector.type == "c3d"


def test_first_videos_by_name_are_told_of():
    real = subject(dataset(), order="first")
    few = evaluate(protocol(STATISTICS, clips=8), real, subject(dataset("test")), force=True)
    assert any("first 8 of" in note for note in few.notes)
    shuffled = evaluate(protocol(STATISTICS, clips=8), subject(dataset()), subject(dataset("test")), force=True)
    assert not any("by name" in note for note in shuffled.notes)


def test_optional_metrics_are_measured_when_they_are_named():
    """They are no variant; what the protocol asks for beside them is then not measured, and nothing is left out."""
    found, variant = load_protocol("stylegan-v", metrics="inception_score16,fid16,fvd128")
    assert variant == {}
    assert found.optional == ()
    score, fid, _ = found.metrics
    assert (score.splits, score.detector.type, fid.unbiased) == (10, "c3d", False)
    changed, variant = load_protocol("stylegan-v", ["optional=[{type: statistics}]"])
    assert [metric.type for metric in changed.optional] == ["statistics"]
    assert [metric["type"] for metric in variant["metrics"]] == ["statistics"]
    assert load_protocol("stylegan-v", ["optional=[]"])[1] == {}


def test_records_with_and_without_optional_keys_compare():
    real = subject(dataset())
    known, not_known = (evaluate(protocol(STATISTICS, optional=more), real, real) for more in ([], [C3D]))
    assert known.settings != not_known.settings
    assert known.comparable == not_known.comparable


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("stylegan_v", ()), "no protocol 'stylegan_v'.*Did you mean 'stylegan-v'"),
        (("inrvid", ("clipz=3",)), "no such key in a protocol. Did you mean 'clips'"),
        (("inrvid", ("clips=1",)), "clips: .*greater than or equal to 2"),
        (("inrvid", (), "fdv16"), "no metric named 'fdv'. Did you mean 'fvd'"),
        (("inrvid", (), "fvd-16"), "--metrics fvd-16: expected a metric"),
    ],
)
def test_wrong_protocols_are_told(arguments, told):
    with pytest.raises(InrvidError, match=told):
        load_protocol(*arguments)


# The command


def command(*arguments, cwd):
    line = [sys.executable, "-m", "inrvid", "evaluate", *map(str, arguments), "--cpu", "--metrics", "statistics"]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    for name, split in (("real", "train"), ("fake", "test")):
        data = dataset(split, videos=20)
        for video in range(20):
            write_video(root / name / f"{video:02d}.mp4", data.read(video, range(16)), 25)
    write_video(root / "wide" / "0.mp4", np.tile(dataset(videos=1).read(0, range(16)), (1, 1, 2, 1)), 25)
    for number in range(1, 4):
        frames = np.random.default_rng(number).integers(0, 255, (16, 16, 32, 3), np.uint8)
        write_video(root / "wide" / f"{number}.mp4", frames, 25)
    odd = {"mixed": [(25, 16), (12, 16)], "sizes": [(25, 16), (25, 32)], "slow": [(12, 16), (12, 16)]}
    for name, videos in odd.items():
        for number, (fps, side) in enumerate(videos):
            write_video(root / name / f"{number}.mp4", np.zeros((16, side, side, 3), np.uint8), fps)
    return root


def test_two_folders_to_a_record_by_one_process_and_two(folders, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # last bits depend on it
    done = command("fake", "--against", "real", "--force", "-o", "a.json", cwd=folders)
    assert done.returncode == 0, done.stderr
    assert "statistics/spatial" in done.stdout
    both = command("fake", "--against", "real", "--force", "-o", "b.json", "--processes", "2", "--fresh", cwd=folders)
    assert both.returncode == 0, both.stderr
    first, second = (read_record(folders / name) for name in ("a.json", "b.json"))
    assert first.scores == second.scores
    assert first.threads == second.threads == 1
    assert first.comparable == second.comparable
    assert first.real.clips == {"16 frames": 20}
    assert json.loads((folders / "a.json").read_text())["protocol"] == "inrvid"


def test_videos_that_are_cut_are_cut_into_what_is_seen(folders):
    """20 videos of 16 frames, 7 of them reached over: 40 clips, the frames of none are in another."""
    seen = {"frames": 4, "stride": 2}
    asked = protocol({**STATISTICS, **seen}, clips=40)
    real = real_subject(str(folders / "real"), open_given(str(folders / "fake"), asked), asked, {"cut": "clips"})
    assert len(real.source.choose(Window(4, 2), 40)) == 40
    longer = {"optional": [{**STATISTICS, "frames": 12}], "real": {"start": "first"}}
    asked = protocol({**STATISTICS, **seen, "first": 6}, clips=40, **longer)
    real = real_subject(str(folders / "real"), open_given(str(folders / "fake"), asked), asked, {"cut": "clips"})
    assert len(real.source.choose(Window(4, 2, 6), 40)) == len(real.source.choose(Window(12), 40)) == 20


def test_a_model_is_compared_with_what_it_learned_from(tmp_path):
    """Its held-out part, where the recipe names one; how the real videos were read is in the record."""
    recipe = load_recipe("quickstart", ["data.videos=20", "generator.channel_max=16"])
    build_generator(recipe.generator).save_pretrained(tmp_path / "run" / "model", recipe=recipe.to_dict())
    done = command("run", "--force", "--set", "clips=20", "-o", "r.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = read_record(tmp_path / "r.json")
    assert (record.fake.kind, record.real.name) == ("model", "procedural")
    assert record.variant["clips"] == 20
    shown = record.real.settings
    assert (shown["split"], shown["resize"], shown["interpolation"]) == ("test", "center_crop", "bicubic")
    assert shown["elements"] == ["hills"]  # what only this data set asks
    assert not {"path", "in_memory", "workers", "on_error"} & {*shown}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fake"], "fake: give real videos to compare it with: --against PATH"),
        (["fake", "--against", "nothing"], "no data set named 'nothing'"),
        (["fake", "--against", "real"], "20 clips of 16 frames, the protocol asks for 2048: --set clips=20 --force"),
        (["mixed", "--against", "real", "--force"], "mixed: mixed frame rates: 25 fps (1), 12 fps (1): --fps N brings"),
        (["sizes", "--against", "real", "--force"], "sizes: videos of several sizes: 16×16 (1), 32×32 (1): --"),
        (["fake", "--against", "real", "--protocol", "digan"], "fake: digan asks for 10 sets of generated clips"),
        (["fake", "--against", "real", "--data", "resize=squash"], "--data resize: the protocol decides this"),
        (["fake", "--against", "real", "--data", "split"], "--data split: expected KEY=VALUE"),
        (["fake", "--against", "real", "-o", "a.html"], "a.html: expected a name that ends in .json"),
        (["slow", "--against", "real", "--force"], "slow has 12 frames a second, the real videos 25"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_told_in_a_line(folders, arguments, told):
    done = command(*arguments, cwd=folders)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("score", "higher"), [("precision_recall/recall", True), ("statistics/spatial", False), (None, False)]
)
def test_which_score_is_best_is_the_metric_s_to_say(score, higher):
    metrics = [{"type": "statistics"}, {"type": "precision_recall", "detector": {"type": "random"}}]
    recipe = load_recipe("quickstart", [("eval.metrics", metrics)])
    assert higher_is_better(recipe, score) == higher


def test_kept_features_are_of_the_same_choice_of_clips(tmp_path, monkeypatch):
    monkeypatch.setenv("INRVID_CACHE", str(tmp_path))
    real, fake = subject(dataset()), subject(dataset("test"))
    evaluate(protocol(), real, fake)
    monkeypatch.setattr(DatasetClips, "read", refuse(real.source, DatasetClips.read))
    with pytest.raises(AssertionError, match="read again"):
        evaluate(protocol(real={"order": "first"}), real, fake)
