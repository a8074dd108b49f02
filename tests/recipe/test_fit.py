"""Parts that need something of each other: completed where it is not written, refused where it contradicts."""

from __future__ import annotations

import pytest

from inrvid import InrvidError, load_recipe

RANDOM = "time_sampler.type=random_distance"
HYPERNETWORK = "discriminator.type=hypernetwork"

COMPLETED = [
    # what is written, and what is completed from it
    ([HYPERNETWORK], {"discriminator.frames": 2, "time_sampler.frames": 2}),  # the Beta pair has two frames
    ([RANDOM], {"discriminator.frames": 2, "time_sampler.frames": 2}),  # the dual discriminator sees two
    ([HYPERNETWORK, RANDOM], {"discriminator.frames": 3, "time_sampler.frames": 3}),
    ([HYPERNETWORK, RANDOM, "discriminator.frames=5"], {"time_sampler.frames": 5}),
    ([HYPERNETWORK, RANDOM, "time_sampler.max_frames=64"], {"discriminator.max_frames": 64}),
    ([HYPERNETWORK, "time_sampler.type=uniform", "discriminator.frames=4"], {"time_sampler.frames": 4}),
    (
        ["generator.clip_length=8"],
        {"discriminator.clip_length": 8, "time_sampler.clip_length": 8, "data.clip_length": 8},
    ),
    (["data={type: videos, path: x}"], {"eval.data": {}}),  # the quickstart's split is no key of a folder
    (["generator.label_dim=4"], {"discriminator.label_dim": 4, "data.labels": True}),
]

HALF = [
    # train.precision, half_blocks, half_dtype
    ("fp32", 0, "float16"),
    ("tf32", 0, "float16"),
    ("bf16", 99, "bfloat16"),
    ("fp16", 4, "float16"),
]

REFUSED = [
    ([RANDOM, "time_sampler.frames=3"], "time_sampler.frames: is 3, but discriminator.frames is 2"),
    (
        [HYPERNETWORK, "discriminator.frames=3"],
        "time_sampler.frames: should be 2, got 3 (derived from discriminator.frames)",
    ),
    ([HYPERNETWORK, RANDOM, "discriminator.frames=5", "time_sampler.frames=3"], "is 3, but discriminator.frames is 5"),
    ([HYPERNETWORK, "discriminator.concat_resolution=32"], "must be larger than concat_resolution"),
    ([HYPERNETWORK, RANDOM, "discriminator.frames=16", "generator.clip_length=8"], "frames 16 exceeds clip_length 8"),
    ([HYPERNETWORK, RANDOM, "time_sampler.max_distance=1"], "max_distance 1 is too small for 3 frames: at least 2"),
    ([HYPERNETWORK, RANDOM, "time_sampler.max_frames=2"], "max_frames 2 is too small for 3 frames: at least 3"),
    (["optim.generator.betas=[0, 1.5]"], "optim.generator.betas.1: should be less than 1"),
    (["eval.data.split=tset"], "eval.data.split: should be 'train' or 'test', got 'tset'"),
    (["eval.data.splt=test"], "eval.data.splt: unknown key. Did you mean 'split'?"),
    (["data.labels=false", "generator.label_dim=4"], "a conditional generator needs labels"),
    (["generator.motion.type=attention", "generator.motion.heads=3"], "heads 3 do not divide code_dim 512"),
    (["generator.motion.type=conv1d", "generator.motion.max_period=8"], "max_period 8 is shorter"),
]


def value(recipe, path):
    section, key = path.split(".")
    return getattr(getattr(recipe, section), key)


@pytest.mark.parametrize(("written", "completed"), COMPLETED)
def test_completed(written, completed):
    recipe = load_recipe("quickstart", written)
    assert {path: value(recipe, path) for path in completed} == completed


@pytest.mark.parametrize(("written", "message"), REFUSED)
def test_refused(written, message):
    with pytest.raises(InrvidError) as caught:
        load_recipe("quickstart", written)
    assert message in str(caught.value)


@pytest.mark.parametrize(("precision", "blocks", "dtype"), HALF)
def test_precision_is_one_key(precision, blocks, dtype):
    """Both networks learn it, a saved recipe does not repeat it, so that it can be changed."""
    recipe = load_recipe("quickstart", [f"train.precision={precision}"])
    for part in (recipe.generator, recipe.discriminator):
        assert (part.half_blocks, part.half_dtype) == (blocks, dtype)
    assert load_recipe(recipe.to_dict()) == recipe
    changed = load_recipe(recipe.to_dict(), ["train.precision=fp32"])
    assert changed.generator.half_blocks == 0


def test_half_blocks_that_contradict_the_precision():
    expected = r"generator\.half_blocks: is 4, but train\.precision is fp32, which makes it 0"
    with pytest.raises(InrvidError, match=expected):
        load_recipe("quickstart", ["generator.half_blocks=4"])
