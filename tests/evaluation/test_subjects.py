"""What is scored."""

from __future__ import annotations

import dataclasses

from inrvid import build_generator
from inrvid.evaluation.clips import Window
from inrvid.evaluation.protocol import Protocol
from inrvid.evaluation.subjects import open_given, real_subject

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
