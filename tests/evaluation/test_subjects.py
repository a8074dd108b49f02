"""What is scored."""

from __future__ import annotations

import dataclasses

from inrvid import build_generator
from inrvid.evaluation.clips import Window
from inrvid.evaluation.protocol import Protocol
from inrvid.evaluation.subjects import Given, open_given, real_subject

from ..data.making import write_video
from ..small import small_generator


def test_runs_share_no_video_and_frames_are_rounded_as_is_asked(tmp_path):
    build_generator(small_generator("inr_gan", "global")).save_pretrained(tmp_path)
    for eight_bits in (False, True):
        of = Protocol.model_validate(
            {"name": "own", "clips": 8, "runs": 3, "eight_bits": eight_bits, "metrics": ({"type": "statistics"},)},
            strict=False,
        )
        given = open_given(str(tmp_path), of)
        real = real_subject("procedural", given, of, {"videos": 8, "frames": 16})
        sources = [subject.source for subject in given.subjects(of, real)]
        seeds = [clip.video for source in sources for clip in source.choose(Window(2), 8)]
        assert len(set(seeds)) == 24
        assert all(source.quantise == eight_bits for source in sources)


def test_other_videos_are_cut_as_those_that_the_model_was_trained_on(tmp_path):
    for name in "ab":
        write_video(tmp_path / f"{name}.mp4", frames=40)
    of = Protocol.model_validate({"name": "own", "clips": 8, "metrics": ({"type": "statistics"},)}, strict=False)
    build_generator(small_generator("inr_gan", "global")).save_pretrained(tmp_path / "model")
    counts = []
    for data in ({}, {"cut": "clips"}):
        recipe = {"data": {"type": "videos", **data}}
        given = dataclasses.replace(open_given(str(tmp_path / "model"), of), recipe=recipe)
        real = real_subject(str(tmp_path), given, of, any_rate=True)
        counts.append(len(real.source.choose(Window(given.clip_length), 100)))
    assert counts == [2, 2 * (40 // given.clip_length)]


def read_at(folder, fps, rate=None):
    """The real side of a model that was trained on the folder, with `fps` in its recipe and `rate` on the command."""
    of = Protocol.model_validate({"name": "own", "clips": 8, "metrics": ({"type": "statistics"},)}, strict=False)
    given = Given(name="G", resolution=(16, 16), fps=24, clip_length=8, recipe={"data": {"type": "videos", "fps": fps}})
    return real_subject(str(folder), given, of, {} if rate is None else {"fps": rate}, any_rate=True)


def test_a_rate_that_all_videos_have_is_as_none(tmp_path):
    """Neither the record nor the key of kept features tells a model that was trained with it from others."""
    for name in "ab":
        write_video(tmp_path / f"{name}.mp4", fps=24)
    plain, written, asked = read_at(tmp_path, None), read_at(tmp_path, 24), read_at(tmp_path, None, 24.0)
    assert plain.side == written.side == asked.side
    assert "fps" not in plain.side.settings
    assert plain.source.fingerprint == written.source.fingerprint
    slower = read_at(tmp_path, 12)
    assert slower.side.settings["fps"] == slower.side.fps == 12
    assert slower.side.fingerprint != plain.side.fingerprint


def test_a_rate_that_changes_any_video_stays(tmp_path):
    write_video(tmp_path / "mixed" / "a.mp4", fps=24)
    write_video(tmp_path / "mixed" / "b.mp4", fps=12)
    assert read_at(tmp_path / "mixed", 24).side.settings["fps"] == 24
    times = [0, 40, 80, 160, 200, 280, 320, 360, 400, 450, 500]  # 20 frames a second in the mean, but uneven
    write_video(tmp_path / "uneven" / "a.mp4", len(times), times=times)
    (record,) = read_at(tmp_path / "uneven", None).source.dataset.records
    assert read_at(tmp_path / "uneven", record.fps).side.settings["fps"] == record.fps
