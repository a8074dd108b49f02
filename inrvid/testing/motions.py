"""Checks of a motion: in each of the library's generators, and of its trunk and heads alone."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import InrvidError
from ..models.build import build_generator
from ..motion.base import Motion, MotionHead
from ..motion.noise import NoiseSequence, ObservedNoise
from ..random import Draws
from .checks import ROUNDED, case, near, require, shaped
from .sizes import built_in, small
from .training import ParallelChecks
from .videos import VideoChecks, refused

WIDTH = 8
FAR = [0.0, 3.3, 9_000.3, 90_000.3, 1e6 - 0.3]
"""Times, in frames."""
HUNDREDTHS = torch.arange(9, dtype=torch.float64)[None] / 100
LATER = 1234.5
NEAR, FAR_FOR_A_RECURRENCE = 10.0, 1e4
MANY = 200
"""Noises: a motion that asks for more at the last of these goes through all times before: it is checked no further."""


class KindChecks(VideoChecks, ParallelChecks):
    """Checks of a motion."""

    def configs(self, **keys: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        for generator in built_in("generators"):
            yield f"in {generator}", small("generators", generator, motion=self.config(), **keys)

    def recipe_parts(self) -> dict[str, Any]:
        return {"generator.motion": self.config()}

    def alone(self) -> tuple[Motion, MotionHead]:
        """A trunk and a head, in evaluation mode."""
        motion: Motion = self.build(z_dim=WIDTH, label_dim=0, clip_length=8)
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(1)
            return motion.eval(), motion.head(WIDTH, WIDTH).eval()

    @torch.no_grad()
    def test_codes_have_their_width(self) -> None:
        motion, head = self.alone()
        require(head.width in (0, WIDTH), f"a head of width {WIDTH} says that its width is {head.width}")
        codes = head(motion(noise_of(motion, 2), torch.zeros(2, 0), torch.tensor([[0.0, 2.5, 7.0]] * 2)), w_of(2))
        shaped(codes, (2, 3, head.width), "codes")

    @torch.no_grad()
    def test_noise_is_a_function_of_its_draws(self) -> None:
        """A video's noise is the same whatever others are drawn with it."""
        motion, head = self.alone()
        t = torch.tensor([[1.0, 6.5]])
        both = head(motion(noise_of(motion, 2), torch.zeros(2, 0), t.expand(2, -1)), w_of(2))
        second = motion.sample_noise(Draws.of_seeds([1], "motion"))
        near(
            head(motion(second, torch.zeros(1, 0), t), w_of(2)[1:]), both[1:], "a video alone and in a batch", **ROUNDED
        )

    @torch.no_grad()
    def test_noise_may_be_in_float64(self) -> None:
        """As NumPy makes it: frames are still in the precision of the weights."""
        for label, config in self.configs():
            with case(label):
                G = build_generator(config, seed=1).eval()
                latents, t = G.sample_latents(2), torch.tensor([0.0, 2.5])
                given = dataclasses.replace(latents, motion=latents.motion.to(torch.float64))
                near(G(given, t), G(latents, t), "frames of the same noise in float64", **ROUNDED)

    def test_differentiated_in_evaluation_mode(self) -> None:
        """cuDNN differentiates recurrent networks only in training mode: those of `inrvid.plugins` stay in it."""
        for part in self.alone():
            for name, module in part.named_modules():
                require(
                    not isinstance(module, nn.RNNBase) or module.training,
                    f"{name}, a {type(module).__name__}, has no backward pass on a GPU in evaluation mode, in which "
                    "latents are sought: take inrvid.plugins.LSTM or GRU",
                )

    @torch.no_grad()
    def test_noises_serve_the_times_that_its_span_says(self) -> None:
        """An explicit sequence of noises serves start ≤ t < distance·(L − kept), and is refused beyond."""
        motion, _ = self.alone()
        noise, span = noise_of(motion, 1), motion.span
        require(
            (span is not None) == isinstance(noise, NoiseSequence),
            f"its noise is a {type(noise).__name__}, its span is {span}: a sequence has a span, and nothing else has",
        )
        if span is None:
            return
        explicit, end = torch.randn(1, span.kept + 2, WIDTH, generator=seeded_generator()), 2 * span.distance

        def call(time: float) -> Any:
            return motion(explicit, torch.zeros(1, 0), torch.tensor([[time]]))

        call(-1000.0 if math.isinf(span.start) else span.start)
        call(end - 0.01)
        refused(lambda: call(end + 0.01), InrvidError, f"t = {end + 0.01:g}, beyond its span {tuple(span)}")
        if math.isfinite(span.start):
            refused(lambda: call(span.start - 0.01), InrvidError, f"t before its span {tuple(span)}")

    @torch.no_grad()
    def test_negative_times(self) -> None:
        """Where its span begins before 0, or there is none, codes of negative times are finite."""
        motion, head = self.alone()
        span = motion.span
        start = -1000.0 if span is None or math.isinf(span.start) else span.start
        if start < 0:
            t = torch.tensor([[start, start / 3, start / 7]])
            codes = head(motion(noise_of(motion, 1), torch.zeros(1, 0), t), w_of(1))
            shaped(codes, (1, 3, head.width), f"codes from t = {start:g}")

    @torch.no_grad()
    def test_accurate_a_million_frames_out(self) -> None:
        """Codes equal those of a copy in float64, to a thousandth of their size, and differ from one hundredth of a
        frame to the next (for a recurrence: at t < 10,000), unless the motion has ended."""
        motion, head = self.alone()
        double = copy.deepcopy(nn.ModuleDict({"trunk": motion, "head": head})).double()
        noise, far = noise_of(motion, 1), FAR
        if noises_asked(motion, FAR_FOR_A_RECURRENCE) > MANY:
            far = [time for time in FAR if time < FAR_FOR_A_RECURRENCE]
        still = 0  # steps in which codes stand still near the clip: all, if they are piecewise constant
        for time in far:
            t = time + HUNDREDTHS
            state = double["trunk"](noise.to(torch.float64), torch.zeros(1, 0).double(), t)
            expected = double["head"](state, w_of(1).double())
            actual = head(motion(noise, torch.zeros(1, 0), t), w_of(1))
            require(actual.dtype == torch.float32, f"codes are {actual.dtype}")
            if expected.numel():
                error = float(((actual - expected).abs() / expected.abs().amax().clamp(min=1)).max())
                require(error < 1e-3, f"t = {time:.0f}: codes are wrong by {error:.1g}: keep times in float64")
                now = int((expected.diff(dim=1).abs().amax(dim=(0, 2)) == 0).sum())
                if now > still:  # has it come to rest?
                    state = double["trunk"](noise.to(torch.float64), torch.zeros(1, 0).double(), t + LATER)
                    now = 0 if torch.equal(double["head"](state, w_of(1).double()), expected) else now
                still = max(still, now) if time < NEAR else still
                require(now <= still, f"t = {time:.0f}: codes stand still in {now} of 8 steps: keep times in float64")


def noise_of(motion: Motion, videos: int) -> Any:
    return motion.sample_noise(Draws.of_seeds(range(videos), "motion"))


def noises_asked(motion: Motion, time: float) -> int:
    """Number of noises that the motion asks for, for one frame of one video."""
    noise = noise_of(motion, 1)
    if not isinstance(noise, NoiseSequence):
        return 0
    asked: list[int] = []
    motion(ObservedNoise(noise, lambda index: asked.append(index.numel())), torch.zeros(1, 0), torch.tensor([[time]]))
    return sum(asked)


def seeded_generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def w_of(videos: int) -> Tensor:
    return torch.randn(videos, WIDTH, generator=seeded_generator())
