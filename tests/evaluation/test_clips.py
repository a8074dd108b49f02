"""Which clips a score is of."""

from __future__ import annotations

import numpy as np

from inrvid import build_generator
from inrvid.evaluation.clips import Clip, DatasetClips, GeneratorClips, Window
from inrvid.registry import registry

from ..small import small_generator


def dataset(videos=24, frames=16, **keys):
    config = {"type": "procedural", "resolution": 16, "videos": videos, "frames": frames, "clip_length": 2}
    return registry("datasets").build({**config, **keys})


def starts(seed):
    return {c.video: c.start for c in DatasetClips(dataset(videos=300, frames=6), seed=seed).choose(Window(4), 300)}


def test_clips_start_at_any_frame_by_seed_and_video():
    found = starts(0)
    assert set(found.values()) == {0, 1, 2}
    other = starts(1)
    assert 0.5 < np.mean([found[video] != other[video] for video in found]) < 0.85  # 2/3 by chance


def test_a_generator_s_frames_are_within_range_without_rounding_too():
    G = build_generator(small_generator("inr_gan", "global")).eval()
    G.blocks["32"].rgb.bias.data += 1.5
    assert GeneratorClips(G, quantise=False).read(Window(2), [Clip(5, 0)]).abs().max() <= 1


def test_any_clips_are_of_all_videos_and_none_twice():
    of = DatasetClips(dataset(videos=40), order="shuffled_clips", one_a_video=False)
    every = of.choose(Window(4), 1000)
    assert sorted(every) == [Clip(video, start) for video in range(40) for start in (0, 4, 8, 12)]
    some = of.choose(Window(4), 40)
    assert some == every[:40]
    assert 18 < len({clip.video for clip in some}) < 36  # 40·(1 − ¾⁴) ≈ 27; one behind the other: 10
    assert of.changed(seed=1).choose(Window(4), 40) != some
