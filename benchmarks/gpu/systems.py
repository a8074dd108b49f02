"""Generation, training steps and loading of the published recipes, and where a step's time goes."""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from inrvid.generators.graphs import Graphs

from ..harness import Budget, WallStopwatch, measure
from ..loading import data_cases
from ..plan import Options, planned
from ..precision import arithmetic, supported
from ..systems import Generation, Training
from .record import Record, Values

PUBLISHED = ("digan_ucf", "stylegan_v_ffs", "stylegan_v_ffs_release")
LARGE = "stylegan_v_mead_1024"


def run(record: Record, smoke: bool) -> None:
    """The most telling rows first: the time may end before the rows do."""
    able = supported(record.device)
    recipes = ("quickstart",) if smoke else PUBLISHED
    precisions = able[:1] if smoke else [name for name in ("fp16", "bf16", "fp32", "tf32") if name in able]
    videos = ((16, 1),) if smoke else ((16, 1), (64, 1), (16, 4), (16, 32))
    main = precisions[0]
    batches = (4,) if smoke else (64, 16)

    def steps(batch: int, recipe: str, precision: str, **keys: bool) -> None:
        kind = " ".join(["step", *keys])
        row = functools.partial(step, record, recipe, precision, batch, **keys)
        record.add(f"{kind}/{recipe}/{precision}/{batch}", row)

    for recipe in recipes[:2]:
        for frames, count in videos:
            row = functools.partial(generate, record, recipe, main, frames, count)
            record.add(f"generate/{recipe}/{main}/{count} × {frames}", row)
        if record.device.type == "cuda":
            for frames, count in videos[:2]:
                row = functools.partial(generate, record, recipe, main, frames, count, graphs=True)
                record.add(f"generate by a graph/{recipe}/{main}/{count} × {frames}", row)
    for batch, recipe in itertools.product(reversed(batches), recipes):
        steps(batch, recipe, main)
    for recipe in recipes[:2]:
        record.add(f"profile/{recipe}/{main}", functools.partial(step_profile, record, recipe, main, batches[-1]))
    for recipe in recipes[::2]:
        steps(batches[-1], recipe, main, compiled=True)
    for batch, recipe in itertools.product(reversed(batches), recipes):
        row = functools.partial(_apart, step, record, recipe, main, batch, unsearched=True)
        record.add(f"step unsearched/{recipe}/{main}/{batch}", row)
    for precision, recipe in itertools.product(precisions[1:], recipes[:2]):
        steps(batches[-1], recipe, precision)
    if not smoke:
        steps(8, LARGE, main)
    for precision, recipe, (frames, count) in itertools.product(precisions[1:], recipes[:2], videos):
        row = functools.partial(generate, record, recipe, precision, frames, count)
        record.add(f"generate/{recipe}/{precision}/{count} × {frames}", row)
    if record.wants("load/"):
        for case in data_cases(planned(Options(recipes=recipes[:2], cpu=record.device.type == "cpu", quick=smoke))):
            own: Values = {"error": case.error} if case.error else dict(case.rates)
            record.put(f"load/{case.subject}/{case.what}", own)


def _apart(measure: Callable[..., Values], record: Record, *arguments: Any, **options: Any) -> Values:
    """On a GPU in a process of its own: cuDNN keeps for a shape what it took first, searched for or not."""
    if record.device.type != "cuda":
        return measure(record, *arguments, **options)
    torch.cuda.empty_cache()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        return processes.submit(measure, record, *arguments, **options).result()


def step(
    record: Record, recipe: str, precision: str, batch: int, *, compiled: bool = False, unsearched: bool = False
) -> Values:
    """A cycle of the trainer's steps with its one penalty, without loading: the mean step; frames are D's real ones.

    Args:
        unsearched: cuDNN takes the algorithms that it guesses to be best, and tries none.
    """
    with arithmetic(precision):
        own = Training(recipe, precision, record.device, batch, compiled=compiled)
        cycle = own.interval if own.interval > 1 else 16
        if unsearched and own.step:
            torch.backends.cudnn.benchmark = False  # `arithmetic` sets it back
        clips, number = own.clips, 0

        def steps(count: int) -> tuple[float, float]:
            nonlocal number
            _synchronize(record.device)
            start = time.perf_counter()
            for _ in range(count):
                own.step(number, [clips], clips_seen=number * batch)
                number += 1
            queued = time.perf_counter() - start
            _synchronize(record.device)
            return (time.perf_counter() - start) / count, queued / count

        began = time.perf_counter()
        steps(2)  # the penalty's among them
        warm = time.perf_counter() - began
        number = 1
        _reset_peak(record.device)
        seconds, queued = steps(cycle)
    frames = batch * own.sampler.frames
    return {
        "ms a step": 1000 * seconds,
        "ms queued": 1000 * queued,
        "s a 1000 frames": 1000 * seconds / frames,
        "clips/s": batch / seconds,
        **_peak(record.device),
        "first two, s": warm,
    }


def step_profile(record: Record, recipe: str, precision: str, batch: int) -> Values:
    """The ten largest costs of one step on the device, and of the host's work for it; tables in files beside."""
    with arithmetic(precision):
        own = Training(recipe, precision, record.device, batch)
        for number in (0, 1, 2):
            own.step(number, [own.clips], clips_seen=number * batch)
        _synchronize(record.device)
        activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (record.device.type == "cuda")
        with profile(activities=activities) as found:
            own.step(3, [own.clips], clips_seen=3 * batch)
            _synchronize(record.device)
    averages = found.key_averages()
    by = {"host": "self_cpu_time_total"} | ({"device": "self_cuda_time_total"} if len(activities) > 1 else {})
    for where, key in by.items():
        table = averages.table(sort_by=key, row_limit=25, max_name_column_width=70)
        (record.folder / f"profile_{recipe}_{precision}_{where}.txt").write_text(table)
    costs: defaultdict[str, float] = defaultdict(float)
    for name, ms in _kernels(averages):
        costs[name[:60]] += ms  # several variants of a kernel share it
    launches = sum(a.count for a in averages if a.device_type.name == "CUDA")
    largest = sorted(costs.items(), key=lambda pair: -pair[1])[:10]
    told = {name: round(ms, 3) for name, ms in largest}
    return {"ms on the device": sum(costs.values()), "launches": launches} | told


def _kernels(averages) -> Iterator[tuple[str, float]]:
    for average in averages:
        if average.device_type.name == "CUDA" and not getattr(average, "is_user_annotation", False):
            yield average.key, average.self_device_time_total / 1000


def generate(record: Record, recipe: str, precision: str, frames: int, videos: int, *, graphs: bool = False) -> Values:
    """Latents' φ, and frames 16 at a time."""
    with arithmetic(precision), torch.no_grad():
        own = Generation(recipe, precision, record.device)
        _reset_peak(record.device)
        run = own.whole(frames, videos)
        if graphs:
            drawn, t = Graphs(own.generator), torch.arange(frames, device=record.device, dtype=torch.float32)
            latents = own.generator.sample_latents(videos)
            run = lambda: list(drawn.stream(own.generator.inr(latents), t))  # noqa: E731
        found = measure({"whole": run}, WallStopwatch(record.device), Budget(seconds=0.5, least=3))
    if found.errors:
        return {"error": found.errors["whole"]}
    seconds = sorted(found.samples["whole"])[len(found.samples["whole"]) // 2]
    return {"ms": 1000 * seconds, "ms a frame": 1000 * seconds / (frames * videos), **_peak(record.device)}


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _reset_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _peak(device: torch.device) -> Values:
    return {"peak GB": torch.cuda.max_memory_allocated(device) / 1e9} if device.type == "cuda" else {}
