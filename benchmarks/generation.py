"""Time of generating one clip with a recipe's coordinate network (inr_gan), beside what this machine can do at best.

    python benchmarks/generation.py [--recipe digan_ucf] [--frames 16] [--repeat 5] [--json OUT]

The ceiling is the rate of a 3×3 channels-last float32 convolution (128 channels, 128×128), measured in the same
process, in turns with the generator, so that a machine whose speed drifts drifts for both. A benchmark reports; it
asserts nothing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import inrvid


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def convolution(channels: int = 128, size: int = 128) -> tuple[Callable[[], object], float]:
    """(a 3×3 channels-last convolution, its GFLOP)."""
    x = torch.randn(4, channels, size, size).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3).contiguous(memory_format=torch.channels_last)
    return lambda: F.conv2d(x, weight, padding=1), 2 * 4 * channels**2 * 9 * size**2 / 1e9


def modulated_layer_gflop(generator: nn.Module, frames: int) -> float:
    """GFLOP of an INR-GAN's pointwise layers when nothing is shared between frames (2 FLOP a multiply-add)."""
    total = 0
    for name, block in generator.blocks.items():  # type: ignore[union-attr, operator]
        points = max(int(name), generator.input_resolution) ** 2  # type: ignore[call-overload, operator]
        weights = sum(layer.weight.numel() for layer in block.layers) + block.rgb.weight.numel()
        total += 2 * points * weights * frames
    return total / 1e9


@torch.no_grad()
def measure(recipe: str, frames: int, repeat: int) -> dict[str, object]:
    generator = inrvid.build_generator(recipe).eval()
    latents = generator.sample_latents(1, seed=0)
    t = torch.arange(frames)
    convolve, gflop = convolution()
    convolve(), generator.inr(latents)(t)
    times: dict[str, list[float]] = {"inr": [], "frames": [], "convolution": []}
    for _ in range(repeat):
        times["convolution"].append(seconds(convolve))
        times["inr"].append(seconds(lambda: generator.inr(latents)))
        inr = generator.inr(latents)
        times["frames"].append(seconds(lambda: inr(t)))  # noqa: B023 (called at once)
    median = {name: statistics.median(values) for name, values in times.items()}
    total = median["inr"] + median["frames"]
    ceiling = gflop / median["convolution"]
    work = modulated_layer_gflop(generator, frames)
    return {
        "recipe": recipe,
        "parameters": sum(p.numel() for p in generator.parameters()),
        "frames": frames,
        "resolution": generator.resolution,
        "seconds_phi": round(median["inr"], 4),
        "seconds_frames": round(median["frames"], 4),
        "seconds_range": [round(min(times["frames"]), 4), round(max(times["frames"]), 4)],
        "release_gflop": round(work, 1),
        "convolution_gflop_per_second": round(ceiling, 1),
        "gflop_per_second_of_release_work": round(work / total, 1),
        "ratio_to_convolution": round(work / total / ceiling, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="digan_ucf", help="one with the generator inr_gan")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the result here")
    arguments = parser.parse_args()
    capability = torch.backends.cpu.get_cpu_capability()
    result = {
        **measure(arguments.recipe, arguments.frames, arguments.repeat),
        "date": datetime.date.today().isoformat(),
        "torch": torch.__version__,
        "inrvid": inrvid.__version__,
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, {capability}",
    }
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
