"""What every video that a generator makes has to be, whatever its generator and its motion are."""

from __future__ import annotations

import abc
import contextlib
import tempfile
import unittest
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..layers import half as half_precision
from ..models.build import build_generator, shapes
from ..recipe.fit import admits_one_value
from ..registry import registry
from .checks import ROUNDED, Checks, Failed, case, gradient_distance, near, require, require_gradients, shaped
from .randomness import check_own_randomness

LABELS = (0, 3)
HALF = ("float16", "bfloat16")


class VideoChecks(Checks):
    """Checks of a part of a generator, in each generator that `configs` gives."""

    @abc.abstractmethod
    def configs(self, **keys: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        """(label, configuration) of small generators with the part in them, with `keys` where they have them."""

    def in_each(self, check: Callable[[VideoGenerator], None], labels: Sequence[int] = (0,)) -> None:
        """Check each of them, with each number of classes in `labels`; failures are reported with which it was."""
        for classes in labels:
            for label, config in self.configs(label_dim=classes):
                with case(f"{label}, {classes} classes" if classes else label):
                    if (G := _built(config, classes)) is not None:
                        check(G)

    def test_shapes(self) -> None:
        """Frames `[B, T, 3, R, R]`, finite, in float32; labels one-hot."""
        self.in_each(check_shapes, LABELS)

    def test_every_parameter_gets_a_gradient(self) -> None:
        """Except those that are frozen (`requires_grad` is off)."""
        self.in_each(check_gradients, LABELS)

    @torch.no_grad()
    def test_weights_are_its_whole_state(self) -> None:
        """Another seed gives other weights; the same weights, also saved and loaded, give the same."""
        self.in_each(check_state, LABELS)

    def test_builds_without_memory(self) -> None:
        """On PyTorch's meta device it has the names and shapes that it has elsewhere, if it can be built there."""
        self.in_each(lambda G: require_same_shapes("generators", G.config, G.state_dict()))

    @torch.no_grad()
    def test_frames_alone_equal_frames_together(self) -> None:
        """No frame depends on what it is evaluated with: its neighbours in time, other videos, or a stream's pieces."""
        self.in_each(check_frames_alone)

    @torch.no_grad()
    def test_times_in_any_form(self) -> None:
        """Integers, float64, numpy: the same frames, in the generator's own precision."""
        self.in_each(check_forms_of_times)

    @torch.no_grad()
    def test_moves_unless_static(self) -> None:
        """Where the motion has no code (width 0) nothing moves; with any other, frames change."""
        self.in_each(check_motion)

    @torch.no_grad()
    def test_same_seed_same_video_in_any_batch(self) -> None:
        """A video is a function of its seed alone."""
        self.in_each(check_seeds)

    @torch.no_grad()
    def test_videos_can_be_indexed_and_interpolated(self) -> None:
        """Some videos of a batch, and what lies between two; wrong times and numbers of videos are refused."""
        self.in_each(check_indexing)

    def test_randomness_is_its_own(self) -> None:
        """The global random states influence nothing, and stay as they are: when it is built, trained, evaluated."""
        self.in_each(check_randomness)

    def test_half_precision_is_nearly_the_same(self) -> None:
        """The highest resolutions in half precision: nearly the same frames and gradients."""
        for _, config in self.configs():
            skip_single_precision("generators", config["type"])
        for dtype in HALF:
            pairs = zip(self.configs(), self.configs(half_blocks=2, half_dtype=dtype), strict=True)
            for (label, full), (_, half) in pairs:
                with case(f"{label}, {dtype}"), half_everywhere():
                    check_half(build_generator(full, seed=1), build_generator(half, seed=1))


def _built(config: dict[str, Any], classes: int) -> VideoGenerator | None:
    """None: it refuses to have classes."""
    try:
        return build_generator(config, seed=1)
    except InrvidError:
        if not classes:
            raise
        return None


def check_shapes(G: VideoGenerator) -> None:
    latents = G.sample_latents(3, seed=5)
    shaped(latents.label, (3, G.label_dim), "the labels of its latents")
    frames = G(latents, times(3))
    shaped(frames, (3, 2, 3, G.resolution, G.resolution), "frames")
    require(frames.dtype == torch.float32, f"frames are {frames.dtype}")


def check_gradients(G: VideoGenerator) -> None:
    frames = G(G.sample_latents(3, seed=5), times(3))
    if not any(p.requires_grad for p in G.parameters()):
        return  # all of it is frozen
    (frames * torch.randn(frames.shape, generator=torch.Generator().manual_seed(0))).sum().backward()
    require_gradients(G)


def check_state(G: VideoGenerator) -> None:
    G.eval()
    latents = G.sample_latents(3, seed=5)
    expected = G(latents, times(3))
    rebuilt = build_generator(G.config, seed=2).eval()
    require(rebuilt.config == G.config, "its configuration does not rebuild it")
    require(not torch.equal(rebuilt(latents, times(3)), expected), "another seed gives the same weights")
    rebuilt.load_state_dict(G.state_dict())
    near(rebuilt(latents, times(3)), expected, "with the same weights")
    with tempfile.TemporaryDirectory() as folder:
        G.save_pretrained(folder)
        near(VideoGenerator.from_pretrained(folder)(latents, times(3)), expected, "saved and loaded")


def check_frames_alone(G: VideoGenerator) -> None:
    inr = G.eval().inr(G.sample_latents(2, seed=3))
    t = torch.tensor([0.0, 1.5, 40.0, 7.0])
    together = inr(t)
    for i, time in enumerate(t):
        alone = G.inr(G.sample_latents(2, seed=3)[1])(time[None])
        near(alone[0, 0], together[1, i], f"the frame at t = {time:g} alone and among others", **ROUNDED)
    one = inr[0]
    near(torch.cat(list(one.stream(torch.arange(20))), dim=1), one(torch.arange(20)), "a stream, one call", **ROUNDED)


def check_forms_of_times(G: VideoGenerator) -> None:
    inr = G.eval().inr(G.sample_latents(1))
    expected = inr(torch.tensor([0.0, 3.0]))
    forms: list[Any] = [torch.tensor([0, 3]), torch.tensor([0.0, 3.0], dtype=torch.float64), np.array([0.0, 3.0])]
    for t in forms:
        near(inr(t), expected, f"times as {t.dtype}")


def check_motion(G: VideoGenerator) -> None:
    frames = G.eval().inr(G.sample_latents(1))(torch.tensor([0.0, 3.0, 7.0]))
    change = frames.diff(dim=1).abs().amax(dim=(0, 2, 3, 4))
    if G.motion.head(4, 4).width == 0:
        require(bool((change == 0).all()), "its motion has width 0, and frames change")
    else:
        require(bool((change > 1e-3).all()), f"frames 0, 3 and 7 differ by {change.tolist()} at most")


def check_seeds(G: VideoGenerator) -> None:
    t = torch.tensor([0.0, 5.0])
    batch = G.eval().inr(G.sample_latents(3, seed=10))(t)
    near(G.inr(G.sample_latents(1, seed=12))(t)[0], batch[2], "the video of seed 12 alone and in a batch", **ROUNDED)


def check_indexing(G: VideoGenerator) -> None:
    inr, t = G.eval().inr(G.sample_latents(3)), torch.tensor([0.0, 4.0])
    frames = inr(t)
    near(inr[[2, 0]](t), frames[[2, 0]], "videos 2 and 0 of three", **ROUNDED)
    near(inr[0].lerp(inr[1], 0.0)(t), frames[:1], "between two videos at weight 0")
    near(inr[0].lerp(inr[1], 1.0)(t), frames[1:2], "between two videos at weight 1", rtol=1e-3, atol=1e-3)
    near(inr(4.0)[:, 0], frames[:, 1], "one time as a number", **ROUNDED)
    refused(lambda: inr(torch.zeros(2, 5)), InrvidError, "times of two videos for three")
    refused(lambda: inr(torch.zeros(0)), InrvidError, "no times")
    refused(lambda: inr[3], IndexError, "video 3 of 3")
    require("3 video(s)" in repr(inr), f"its videos call themselves {inr!r}")


def check_randomness(G: VideoGenerator) -> None:
    check_own_randomness(lambda: build_generator(G.config, seed=1).state_dict(), "building it")
    for mode, what in ((True, "calling it in training"), (False, "calling it")):
        G.train(mode)
        check_own_randomness(lambda: G(G.sample_latents(2), times(2)).detach(), what)


def times(videos: int) -> torch.Tensor:
    """Two times for each video, within a small clip."""
    return torch.tensor([[0.0, 2.5], [1.0, 7.0], [3.25, 4.0]])[:videos]


def skip_single_precision(kind: str, name: str) -> None:
    """Raise SkipTest if it admits no half precision (`half_blocks: Literal[0]`): `train.precision` is then refused."""
    if admits_one_value(registry(kind).config_class(name).model_fields["half_blocks"]):
        raise unittest.SkipTest(f"{name} runs in single precision alone")


def check_half(full: VideoGenerator, half: VideoGenerator) -> None:
    latents, t = full.sample_latents(2), torch.tensor([[0.0, 5.0]] * 2)
    expected, actual = full(latents, t), half(latents, t)
    require(actual.dtype == torch.float32, f"frames are {actual.dtype}")
    error = (actual - expected).norm().item() / expected.norm().item()
    require(error < 0.05, f"frames differ by {error:.0%}")
    if any(p.requires_grad for p in full.parameters()):
        for G, frames in ((full, expected), (half, actual)):
            frames.square().mean().backward()
            require_gradients(G)
        distance = gradient_distance(half, full)
        require(distance < 0.15, f"gradients differ by {distance:.0%}")
    with torch.no_grad():  # layers with batch statistics differ in evaluation
        expected = full.eval().inr(latents)(t)
        error = (half.eval().inr(latents)(t) - expected).norm().item() / expected.norm().item()
    require(error < 0.05, f"frames of evaluation differ by {error:.0%}")


@contextlib.contextmanager
def half_everywhere() -> Iterator[None]:
    """Inside, a CPU runs half precision even where it is slow at it, and would otherwise run float32."""
    before, half_precision.EMULATE = half_precision.EMULATE, True
    try:
        yield
    finally:
        half_precision.EMULATE = before


def refused(call: Any, error: type[Exception], what: str) -> None:
    """Raises Failed unless the call raises the error."""
    try:
        call()
    except error:
        return
    raise Failed(f"{what}: not refused with {error.__name__}")


def require_same_shapes(kind: str, config: dict[str, Any], state: dict[str, torch.Tensor]) -> None:
    """Raise Failed if weights have other names or shapes on the meta device. One that cannot be built there passes."""
    planned = shapes(kind, config)
    if planned is not None:
        found = {name: tuple(value.shape) for name, value in planned.items()}
        expected = {name: tuple(value.shape) for name, value in state.items()}
        require(found == expected, "its weights on the meta device have other names or shapes")
