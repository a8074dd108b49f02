"""What is scored."""

from __future__ import annotations

from inrvid import build_generator
from inrvid.evaluation.clips import Window
from inrvid.evaluation.protocol import Protocol
from inrvid.evaluation.subjects import Given, real_subject

from ..small import small_generator


def test_runs_share_no_video_and_frames_are_rounded_as_is_asked(tmp_path):
    build_generator(small_generator("inr_gan", "global")).save_pretrained(tmp_path)
    for eight_bits in (False, True):
        of = Protocol.model_validate(
            {"name": "own", "clips": 8, "runs": 3, "eight_bits": eight_bits, "metrics": ({"type": "statistics"},)},
            strict=False,
        )
        given = Given(str(tmp_path), of)
        real = real_subject("procedural", given, of, {"videos": 8, "frames": 16})
        sources = [subject.source for subject in given.subjects(of, real)]
        seeds = [clip.video for source in sources for clip in source.choose(Window(2), 8)]
        assert len(set(seeds)) == 24
        assert all(source.quantise == eight_bits for source in sources)
