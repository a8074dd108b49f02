"""Frames by CUDA graphs, for small networks, whose kernel launches one by one take longer than their work.

The first time that frames of a given shape are requested, `render` (φ and motion state → frames) is recorded. The graph
works on its own copies of the inputs, which the next video's overwrite, so that it serves every video of the generator.
It runs the same kernels, so that frames are bit for bit those of `VideoINR`. The motion itself runs before the graph,
as always: it may ask the device which frames share codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from ..errors import InrvidError
from ..grid import Grid
from ..layers.precision import without_autocast
from .base import VideoGenerator
from .inr import FRAMES_AT_ONCE, VideoINR, times_of

WARM_UPS = 3
"""Runs before the recorded one: in the first ones, libraries choose and load what they need."""


class Graphs:
    """The graphs of one generator on a GPU; each keeps its memory.

    Raises:
        InrvidError: the generator is not on a GPU.
    """

    def __init__(self, generator: VideoGenerator):
        if generator.device.type != "cuda":
            raise InrvidError("CUDA graphs need a generator on a GPU: G.to('cuda')")
        self.generator = generator
        self._recorded: dict[tuple[object, ...], _Graph] = {}

    @torch.no_grad()
    @without_autocast
    def __call__(self, inr: VideoINR, t: Tensor, grid: Grid | None = None) -> Tensor:
        """`inr(t, grid)` for an `inr` of this generator; t `[T]` or `[B, T]`."""
        t = times_of(t, self.generator.device).expand(len(inr), -1)
        grid = Grid.of(self.generator.resolution if grid is None else grid)
        inputs = inr.phi, self.generator.motion(inr.noise, inr.label, t), t
        key = (grid, *((x.shape, x.dtype) for x in tree_leaves(inputs) if isinstance(x, Tensor)))
        if key not in self._recorded:
            self._recorded[key] = _Graph(self.generator, inputs, grid)
        return self._recorded[key](inputs)

    def stream(self, inr: VideoINR, t: Tensor, grid: Grid | None = None) -> Iterator[Tensor]:
        """`inr.stream(t, grid)`; frames left over at the end are drawn without a graph."""
        for some in times_of(t).split(FRAMES_AT_ONCE, dim=-1):
            yield self(inr, some, grid) if some.shape[-1] == FRAMES_AT_ONCE else inr(some, grid)


class _Graph:
    def __init__(self, generator: VideoGenerator, inputs: Any, grid: Grid):
        self.inputs = tree_map(lambda x: x.clone() if isinstance(x, Tensor) else x, inputs)
        phi, state, t = self.inputs
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                generator.render(phi, state, t, grid)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.frames = generator.render(phi, state, t, grid)

    def __call__(self, inputs: Any) -> Tensor:
        for own, new in zip(tree_leaves(self.inputs), tree_leaves(inputs), strict=True):
            if isinstance(own, Tensor):
                own.copy_(new, non_blocking=True)
        self.graph.replay()
        return self.frames.clone()
