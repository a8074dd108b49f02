"""Generation and training of a recipe's networks, with their initial weights.

The work of the papers' releases, in FLOP (2 a multiply-add), is that of all their matrix products and convolutions
with nothing shared between frames. Over our time it is a rate in the release's units, which can exceed the rate at
which the device computes, as less is computed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from statistics import median
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from inrvid.kernels.operation import written_out
from inrvid.losses.logistic import LogisticLoss
from inrvid.models.build import build_discriminator, build_generator
from inrvid.precision import choose_algorithms
from inrvid.random import Draws
from inrvid.recipe.schema import Recipe, load_recipe
from inrvid.registry import registry
from inrvid.training.step import Batch, TrainingStep

from .ceilings import Ceiling, made, rates
from .harness import Measured, Run, measure, one_line
from .memory import Work, intermediate_bytes, peak_of_process, peak_on_cuda, saved_bytes
from .plan import Plan
from .precision import arithmetic
from .results import Case, Seconds

RELEASE_FRAME_GFLOP = {"digan_ucf": 317.3 / 16, "stylegan_v_ffs": 483.1 / 16}
"""A frame generated."""

RELEASE_TRAINING_FRAME_GFLOP = {"digan_ucf": 476 / (4 * 2), "stylegan_v_ffs": 1090 / (4 * 3)}
"""A frame, forward and backward through the generator."""

LENGTHS = torch.tensor([1024])
"""Frames of the training videos that there might be."""

GENERATOR, DISCRIMINATOR, PENALTY, STEP = "G forward + backward", "D main step", "R1 step", "full step"


def recipe_in(name: str, precision: str, batch: int | None = None, *, compiled: bool = False) -> Recipe:
    """The recipe with both networks in this precision, whatever it asks for itself."""
    overrides = [f"train.precision={precision}", f"train.compile={str(compiled).lower()}"]
    return load_recipe(name, overrides + ([] if batch is None else [f"train.batch_size={batch}"]))


class Generation:
    """A generator in evaluation mode, and the two halves of making videos with it."""

    def __init__(self, recipe: str, precision: str, device: torch.device):
        self.recipe = recipe_in(recipe, precision)
        self.generator = build_generator(self.recipe.generator).eval().requires_grad_(False).to(device)

    def runs(self, frames: int, videos: int) -> dict[str, Run]:
        """`phi`: latents → φ; `frames`: φ → frames, 16 at a time as `inrvid generate` does it."""
        generator = self.generator
        latents = generator.sample_latents(videos)
        inr = generator.inr(latents)
        t = torch.arange(frames, device=generator.device, dtype=torch.float32)

        def draw() -> None:
            for _ in inr.stream(t):
                pass

        return {"phi": lambda: generator.inr(latents), "frames": draw}

    def whole(self, frames: int, videos: int) -> Run:
        latents = self.generator.sample_latents(videos)
        t = torch.arange(frames, device=self.generator.device, dtype=torch.float32)

        @torch.no_grad()
        def run() -> None:
            for _ in self.generator.inr(latents).stream(t):
                pass

        return run


class Training:
    """The networks of a recipe, and the parts of a training step of `batch` clips.

    The parts alone see no augmentation and settle no gradients; the full step is the trainer's, without data loading.
    """

    def __init__(self, recipe: str, precision: str, device: torch.device, batch: int, *, compiled: bool = False):
        self.recipe, self.device, self.batch = recipe_in(recipe, precision, batch, compiled=compiled), device, batch
        self.generator = build_generator(self.recipe.generator).to(device).train()
        self.sampler = registry("time_samplers").build(self.recipe.time_sampler)
        self.loss = registry("losses").build(self.recipe.loss)
        self._steps = 0
        self.interval = max(phase.interval for phase in self.loss.phases())
        """Steps between two penalties; 1: there is none."""

    @cached_property
    def discriminator(self) -> Any:
        return build_discriminator(self.recipe.discriminator).to(self.device).train()

    @cached_property
    def step(self) -> TrainingStep:
        accelerator = Accelerator(cpu=self.device.type == "cpu")
        choose_algorithms()  # as the trainer does
        return TrainingStep(self.recipe, self.generator, self.discriminator, accelerator, LENGTHS)

    @cached_property
    def clips(self) -> Batch:
        """Noise, in place of real clips."""
        side, classes = self.recipe.generator.resolution, self.recipe.generator.label_dim
        t = self.sampler.generated(self.draws("times"), LENGTHS.expand(self.batch)).to(self.device)
        generator = torch.Generator(self.device).manual_seed(0)
        shape = (*t.shape, 3, side, side)
        frames = torch.empty(shape, device=self.device).uniform_(-1, 1, generator=generator)
        label = torch.zeros(self.batch, classes, device=self.device)
        label[:, :1] = 1
        return Batch(frames, t, label, range(self.batch))

    def draws(self, purpose: str) -> Draws:
        return Draws.of_batch(0, purpose, 0, range(self.batch))

    def runs(self) -> dict[str, Run]:
        runs: dict[str, Run] = {GENERATOR: self.generator_run()}
        if isinstance(self.loss, LogisticLoss):  # another loss's phases are in the full step alone
            runs[DISCRIMINATOR] = self.discriminator_run()
            runs |= {PENALTY: self.penalty_run()} if self.interval > 1 else {}
        return runs | {STEP: self.step_run()}

    def generate(self) -> Tensor:
        return self.generator(self.generator.draw_latents(self.draws, self.batch, self.clips.label), self.clips.t)

    def generator_run(self) -> Run:
        gradient = self.clips.frames

        def run() -> None:
            self.generate().backward(gradient)
            self.generator.zero_grad(set_to_none=True)

        return run

    def discriminator_run(self) -> Run:
        D, clips, fake = self.discriminator, self.clips, self.clips.frames.flip(0)

        def run() -> None:
            logits = D.both((fake, clips.t, clips.label), (clips.frames, clips.t, clips.label))
            self.loss.discriminator(real=logits[1], fake=logits[0]).backward()
            D.zero_grad(set_to_none=True)

        return run

    def penalty_run(self) -> Run:
        D, clips = self.discriminator, self.clips

        def run() -> None:
            self.loss.penalty(D, clips.frames, clips.t, clips.label, lambda frames: frames).backward()
            D.zero_grad(set_to_none=True)

        return run

    def step_run(self) -> Run:
        """A step without the penalty, which comes once an interval."""
        step, clips, interval = self.step, self.clips, self.interval

        def run() -> None:
            self._steps += 2 if interval > 1 and (self._steps + 1) % interval == 0 else 1
            step(self._steps, [clips], clips_seen=self._steps * self.batch)

        return run

    def saved(self) -> dict[str, int]:
        """Bytes kept between the generator's forward and backward pass: as it is, by definitions, by keeping all."""
        own = [self.generator]
        saved = saved_bytes(self.generate, own)
        with written_out():
            by_definitions = saved_bytes(self.generate, own)
        return {
            "saved": saved,
            "saved_by_definitions": by_definitions,
            "every_intermediate": intermediate_bytes(self.generate, own),
        }


def prepared(work: Work, device: torch.device) -> Run:
    """Everything that the work needs is loaded; the work is yet to be done."""
    if work.what == "generation":
        return Generation(work.recipe, work.precision, device).whole(work.frames, work.videos)
    training = Training(work.recipe, work.precision, device, work.videos)
    makers = {
        GENERATOR: training.generator_run,
        DISCRIMINATOR: training.discriminator_run,
        PENALTY: training.penalty_run,
        STEP: training.step_run,
    }
    return makers[work.what]()


def generation_cases(plan: Plan) -> Iterator[Case]:
    for recipe in plan.recipes:
        for precision in plan.precisions:
            with arithmetic(precision):
                own = Generation(recipe, precision, plan.device)
                for frames, videos in plan.videos:
                    yield _generation_case(own, recipe, precision, frames, videos, plan)
            del own


@torch.no_grad()
def _generation_case(own: Generation, recipe: str, precision: str, frames: int, videos: int, plan: Plan) -> Case:
    side = own.recipe.generator.resolution
    values: dict[str, Any] = {
        "group": "generation",
        "subject": own.recipe.name,
        "what": f"{videos} × {frames} frames {side}²",
        "precision": precision,
    }
    work = Work(recipe, precision, "generation", frames, videos)
    try:
        values["memory"] = _peak(work, own.whole(frames, videos), plan)
        ceilings = made(["convolution"], plan.device, precision)
        found = _measured(own.runs(frames, videos), ceilings, plan)
    except RuntimeError as error:
        return _failed(values, error)
    return Case(**values, **_generation_values(own.recipe.name, frames * videos, found, ceilings))


def _generation_values(recipe: str, frames: int, found: Measured, ceilings: dict[str, Ceiling]) -> dict[str, Any]:
    if found.errors:
        return {"error": next(iter(found.errors.values()))}
    parts = {name: found.samples[name] for name in ("phi", "frames")}
    samples = [sum(round_) for round_ in zip(*parts.values(), strict=True)]
    rate = rates(ceilings, found.samples)
    return {
        "seconds": Seconds.of(samples),
        "parts": {name: median(values) for name, values in parts.items()},
        "ceilings": rate,
        **_in_release_units(frames, RELEASE_FRAME_GFLOP.get(recipe), median(samples), rate, {"frames/s": frames}),
    }


def training_cases(plan: Plan) -> Iterator[Case]:
    for recipe in plan.recipes:
        if not plan.trains(load_recipe(recipe).generator.resolution):
            continue
        for precision in plan.training_precisions:
            for batch in plan.batches:
                with arithmetic(precision):
                    yield from _training_cases(recipe, precision, batch, plan)


def _training_cases(recipe: str, precision: str, batch: int, plan: Plan) -> Iterator[Case]:
    own = Training(recipe, precision, plan.device, batch)
    frames, side = own.sampler.frames, own.recipe.generator.resolution
    values: dict[str, dict[str, Any]] = {
        name: {
            "group": "training",
            "subject": own.recipe.name,
            "what": f"{name}, {batch} × {frames} frames {side}²",
            "precision": precision,
        }
        for name in (GENERATOR, DISCRIMINATOR, PENALTY, STEP)
    }
    try:
        runs = own.runs()
        ceilings = made(["convolution"], plan.device, precision)
    except RuntimeError as error:
        yield _failed(values[STEP], error)
        return
    memory, errors = _memory(own, runs, Work(recipe, precision, "", frames, batch), plan)
    found = _measured({name: run for name, run in runs.items() if name not in errors}, ceilings, plan)
    found.errors |= errors
    for name in runs:
        yield Case(**values[name], memory=memory.get(name, {}), **_training_values(own, name, found, ceilings))


def _memory(
    own: Training, runs: dict[str, Run], work: Work, plan: Plan
) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """Bytes of each run, by name; and why it failed."""
    memory, errors = {}, {}
    for name, run in runs.items():
        try:
            memory[name] = _peak(dataclasses.replace(work, what=name), run, plan)
            memory[name] |= own.saved() if name == GENERATOR else {}
        except RuntimeError as error:
            errors[name] = one_line(error)
            own.generator.zero_grad(set_to_none=True)
            own.discriminator.zero_grad(set_to_none=True)
    return memory, errors


def _training_values(own: Training, name: str, found: Measured, ceilings: dict[str, Ceiling]) -> dict[str, Any]:
    if name in found.errors:
        return {"error": found.errors[name]}
    samples, rate = found.samples[name], rates(ceilings, found.samples)
    seconds, penalty = median(samples), found.samples.get(PENALTY)
    note = ""
    if name == STEP and penalty:
        every = own.interval
        seconds += median(penalty) / every
        note = f"clips/s: with R1 every {every} steps"
    work = RELEASE_TRAINING_FRAME_GFLOP.get(own.recipe.name) if name == GENERATOR else None
    frames = own.batch * own.sampler.frames
    return {
        "seconds": Seconds.of(samples),
        "ceilings": rate,
        "note": note,
        **_in_release_units(frames, work, seconds, rate, {"clips/s": own.batch}),
    }


def _in_release_units(
    frames: int, gflop_a_frame: float | None, seconds: float, ceilings: dict[str, float], counts: dict[str, int]
) -> dict[str, dict[str, float]]:
    """Rates of what is counted, and of the release's work where it is known."""
    found: dict[str, dict[str, float]] = {"rates": {unit: n / seconds for unit, n in counts.items()}, "ratios": {}}
    if gflop_a_frame is not None:
        rate = found["rates"]["release GFLOP/s"] = frames * gflop_a_frame / seconds
        if "convolution" in ceilings:
            found["ratios"]["release_of_convolution"] = rate / ceilings["convolution"]
    return found


def _peak(work: Work, run: Run, plan: Plan) -> dict[str, int]:
    """Peak bytes, by name; empty where it is not measured. A training's other parts are measured on CUDA alone."""
    if plan.device.type == "cuda":
        return {"peak": peak_on_cuda(run, plan.device)}
    if plan.quick or work.what in (DISCRIMINATOR, PENALTY):
        return {}
    peak = peak_of_process(work)
    return {} if peak is None else {"peak": peak}


def _measured(runs: dict[str, Run], ceilings: dict[str, Ceiling], plan: Plan) -> Measured:
    return measure({**{name: c.run for name, c in ceilings.items()}, **runs}, plan.stopwatch, plan.budget)


def _failed(values: dict[str, Any], error: RuntimeError) -> Case:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return Case(**values, error=one_line(error))
