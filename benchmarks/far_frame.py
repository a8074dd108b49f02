"""Time of one frame at t = 3 and an hour later (t = 90,000 at 25 fps), in turns.

python benchmarks/far_frame.py [--recipe stylegan_v_ffs] [--repeat 15]
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

import inrvid


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="stylegan_v_ffs")
    parser.add_argument("--repeat", type=int, default=15)
    arguments = parser.parse_args()
    generator = inrvid.build_generator(dict(inrvid.load_recipe(arguments.recipe, ["train.precision=fp32"]).generator))
    generator.eval()
    inr = generator.inr(generator.sample_latents(1))
    times: dict[float, list[float]] = {3.0: [], 90_000.0: []}
    inr(torch.tensor([0.0]))
    for _ in range(arguments.repeat):
        for t, seconds in times.items():
            start = time.perf_counter()
            inr(torch.tensor([t], dtype=torch.float64))
            seconds.append(time.perf_counter() - start)
    near, far = (statistics.median(seconds) for seconds in times.values())
    print(f"t = 3: {near * 1e3:.1f} ms, t = 90000: {far * 1e3:.1f} ms, ratio {far / near:.3f}")


if __name__ == "__main__":
    main()
