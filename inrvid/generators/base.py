"""Generators: latents → φ → video.

A generator is a mapping network (z, label → w), a motion trunk, and a *backbone* that says how styles become φ
(`modulate`) and how φ is evaluated (`render`). Subclasses provide the backbone.
"""

from __future__ import annotations

import abc
import contextlib
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from typing_extensions import Self

from ..config import MOST, Count, Fps, Layers, Natural, PartConfig, PowerOfTwo
from ..errors import InrvidError
from ..grid import Grid
from ..latents import Latents
from ..layers.linear import StyleAffine
from ..layers.mapping import MappingNetwork
from ..layers.precision import check_float64, without_autocast
from ..motion.base import MotionState
from ..pretrained import Pretrained
from ..random import Draws
from ..registry import PartOf, registry
from ..transfer import to_device
from .inr import Noise, VideoINR

Labels = int | Sequence[int] | Tensor | None
DrawsFor = Callable[[str], Draws]
"""Purpose → independent draws for it, one stream per video."""


class VideoGenerator(Pretrained, nn.Module, abc.ABC):
    """Videos as implicit neural representations: latents → φ → frames at any times, on any grid.

        G = build_generator("digan_ucf")
        inr = G.inr(G.sample_latents(4, seed=0), truncation=0.8)   # φ of four videos
        frames = inr(torch.arange(16.0), Grid(256, 256))           # [4, 16, 3, 256, 256], around [−1, 1]

    This class makes the mapping network and the motion. A subclass is constructed as `Class(config)`, derives its
    `Config` from this one, and provides `num_ws`, `modulate` (styles → φ) and `render` (φ and motion → frames).
    """

    kind = "generators"

    class_names: tuple[str, ...] = ()
    """Names of the classes, by number; empty where they are not known. Saved with the model."""

    class Config(PartConfig):
        """What every generator has: latents, mapping network, motion, and what it was trained for."""

        resolution: PowerOfTwo = Field(128, description="side of the frames, pixels")
        clip_length: Annotated[int, Field(ge=2, le=MOST)] = Field(
            16, description="frames of a training clip, at the model's rate"
        )
        fps: Fps = Field(25.0, description="the model's own frame rate; derived from the data if not written")
        label_dim: Natural = Field(0, description="number of classes; 0: unconditional")
        z_dim: Count = Field(512, description="width of the latents z and z_M")
        w_dim: Count = Field(512, description="width of the style w")
        mapping_layers: Layers = Field(2, description="layers of the mapping network")
        half_blocks: Natural = Field(0, description="how many of the highest resolutions run in half precision")
        half_dtype: Literal["float16", "bfloat16"] = Field("float16", description="which half precision")
        motion: Annotated[PartConfig, PartOf("motions")] = Field(
            {"type": "global"},
            validate_default=True,
            description="motion parametrization",
        )

    def __init__(self, config: Config):
        super().__init__()
        self._config = config
        self.mapping = self.make_mapping(config)
        self.motion = registry("motions").build(
            config.motion, z_dim=config.z_dim, label_dim=config.label_dim, clip_length=config.clip_length
        )

    @staticmethod
    def make_mapping(config: Config) -> nn.Module:
        """`(z [B, z_dim], label [B, label_dim], truncation) → w [B, w_dim]`; a subclass may make another network."""
        return MappingNetwork(config.z_dim, config.label_dim, config.w_dim, layers=config.mapping_layers)

    # What a backbone provides

    @property
    @abc.abstractmethod
    def num_ws(self) -> int:
        """Number of places where a style enters."""

    @abc.abstractmethod
    def modulate(self, ws: Tensor) -> dict[str, Tensor]:
        """Styles `[B, num_ws, w_dim]` → φ: everything that depends on the video and not on time or place."""

    @abc.abstractmethod
    def render(self, phi: Mapping[str, Tensor], state: MotionState, t: Tensor, grid: Grid) -> Tensor:
        """Evaluate φ at times t `[B, T]`, with their motion state, on `grid` → frames `[B, T, 3, H, W]`."""

    # What a caller uses

    @property
    def config(self) -> dict[str, Any]:
        """Plain data that rebuilds this generator: `build_generator(G.config)`."""
        return self._config.model_dump(mode="json")

    @property
    def resolution(self) -> int:
        return self._config.resolution

    @property
    def label_dim(self) -> int:
        return self._config.label_dim

    @property
    def clip_length(self) -> int:
        return self._config.clip_length

    @property
    def fps(self) -> float:
        return self._config.fps

    @property
    def z_dim(self) -> int:
        return self._config.z_dim

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        check_float64(fn(torch.empty(0, device="cpu")).device)  # before any part of the module has moved
        return super()._apply(fn, recurse)

    def sample_latents(self, count: int, seed: int | Sequence[int] = 0, label: Labels = None) -> Latents:
        """Latents of `count` videos; a video depends on its seed alone, whatever the device and the batch.

        Args:
            seed: video i is that of seed + i; or the seed of each video, `seed=[3, 17]`.
            label: a class number, one number per video, or `[count, label_dim]`; default: classes drawn from the seeds.

        Raises:
            InrvidError: a label for an unconditional generator, or of another type or shape; a class that does not
                exist; a count or a seed that is not an integer, more or fewer seeds than videos.
        """
        if not hasattr(count, "__index__"):
            own = "G.sample_latents(len(seeds), seed=seeds)"
            raise InrvidError(f"count: expected a number of videos, got {count!r}; for seeds of your own: {own}")
        seeds = _seeds(seed, count)
        return self.draw_latents(lambda purpose: Draws.of_seeds(seeds, purpose), count, label)

    def draw_latents(self, draws: DrawsFor, count: int, label: Labels = None) -> Latents:
        """Latents from `draws`, one independent stream each for content, motion and label."""
        motion, device = self.motion.sample_noise(draws("motion")), self.device
        latents = Latents(
            content=to_device(draws("content").normal(self.z_dim), device),
            motion=to_device(motion, device) if isinstance(motion, Tensor) else motion.to(device, non_blocking=True),
            label=to_device(self._one_hot(label, count, draws), device),
        )
        dtype = next(self.parameters()).dtype
        return latents if dtype == latents.content.dtype else latents.to(dtype)

    @without_autocast
    def inr(self, latents: Latents, truncation: float = 1.0) -> VideoINR:
        """The videos of these latents, as functions of time and space.

        Args:
            latents: of B videos, as `sample_latents` gives them.
            truncation: ψ; below 1, styles are moved towards their mean: less variety, more quality.

        Raises:
            InrvidError: latents of another model; truncation of given styles (`latents.ws`) if the generator keeps no
                mean of styles.
        """
        return self.inr_of_ws(self.styles(latents, truncation), latents.motion, latents.label)

    def styles(self, latents: Latents, truncation: float = 1.0) -> Tensor:
        """Styles `[B, num_ws, w_dim]` of the videos: `latents.ws` if given, else the mapping's. Raises as `inr`."""
        if not isinstance(latents, Latents):
            kind = type(latents).__name__
            raise InrvidError(f"latents: expected Latents, as G.sample_latents gives them, got a {kind}")
        if latents.ws is None:
            if latents.content.shape[1:] != (self.z_dim,) or latents.label.shape[1:] != (self.label_dim,):
                found = f"content {list(latents.content.shape)}, label {list(latents.label.shape)}"
                wanted = f"[B, {self.z_dim}], [B, {self.label_dim}]"
                raise InrvidError(f"latents: {found}: expected {wanted}. Latents of another model?")
            w = self.mapping(latents.content, latents.label, truncation)
            return w[:, None].expand(-1, self.num_ws, -1)
        if truncation == 1:
            return latents.ws
        if self.w_average is None:
            raise InrvidError("truncation: this generator keeps no mean of styles: leave it out")
        return self.w_average.lerp(latents.ws, truncation)

    @property
    def w_average(self) -> Tensor | None:
        """Mean of w `[w_dim]` over training, if the mapping network keeps one, else None."""
        return getattr(self.mapping, "w_average", None)

    def style_weights(self) -> Tensor:
        """The matrices that multiply styles where they enter the backbone, stacked: `[n, w_dim]`.

        By default, those of every `StyleAffine` in it. Motion heads are left out: motion is not part of appearance.

        Raises:
            InrvidError: the backbone has no `StyleAffine`; a subclass where styles enter otherwise overrides this.
        """
        found = [m for m in self.modules() if isinstance(m, StyleAffine)]
        if not found:
            raise InrvidError(f"{type(self).__name__} does not say which of its layers take styles in (style_weights)")
        return torch.cat([m.weight[:, : self._config.w_dim] * m.weight_gain for m in found])

    def check_grid(self, grid: Grid) -> None:
        """Raise InrvidError, with the reason, if `render` cannot draw that grid. By default, it can draw any grid."""

    @property
    def side_multiple(self) -> int:
        """The sides of grids for `render` must be multiples of this, if it draws more than one grid at all."""
        return 1

    def inr_of_ws(self, ws: Tensor, motion: Noise, label: Tensor) -> VideoINR:
        """The videos of styles ws `[B, num_ws, w_dim]` (W+), with this motion noise (in any precision) and label."""
        return VideoINR(self, self.modulate(ws), motion.to(ws.dtype), label)

    def forward(self, latents: Latents, t: Tensor, grid: Grid | None = None) -> Tensor:
        """`inr(latents)(t, grid)`."""
        return self.inr(latents)(t, grid)

    @contextlib.contextmanager
    def as_one_batch(self, mean: Callable[[Tensor], Tensor]) -> Iterator[None]:
        """Within this context, batch statistics (the mean of w) cover all calls: micro-batches count as one batch.

        Args:
            mean: averages a tensor over all processes.
        """
        with contextlib.ExitStack() as stack:
            for module in self.modules():
                if isinstance(module, MappingNetwork):
                    stack.enter_context(module.one_average(mean))
            yield

    def _one_hot(self, label: Labels, count: int, draws: DrawsFor) -> Tensor:
        """`[count, label_dim]`, from class numbers or already one-hot; None: drawn, each class equally likely."""
        if label is None:
            return self._drawn_label(count, draws)
        expected = f"label: expected numbers of classes, or [{count}, {self.label_dim}], got"
        try:
            given = torch.as_tensor(label)
        except (TypeError, ValueError, RuntimeError):
            raise InrvidError(f"{expected} {label!r}") from None
        if given.shape == (count, self.label_dim):
            return given.float()
        if not self.label_dim:
            raise InrvidError("label: this generator is unconditional (its label_dim is 0): leave the label out")
        if given.is_floating_point():
            raise InrvidError(f"{expected} {given.tolist()}")
        return nn.functional.one_hot(self._checked_classes(given, count), self.label_dim).float()

    def _drawn_label(self, count: int, draws: DrawsFor) -> Tensor:
        if not self.label_dim:
            return torch.zeros(count, 0)
        classes = draws("label").integers(torch.full((count,), self.label_dim))
        return nn.functional.one_hot(classes, self.label_dim).float()

    def _checked_classes(self, given: Tensor, count: int) -> Tensor:
        """Class numbers `[count]`, from one for all videos or one each. Raises InrvidError: any other classes."""
        classes = given.expand(count) if given.ndim == 0 else given
        if classes.shape != (count,) or classes.min() < 0 or classes.max() >= self.label_dim:
            raise InrvidError(
                f"label: expected one class of 0 … {self.label_dim - 1} a video ({count}), got {classes.tolist()}"
            )
        return classes.long()


def _seeds(seed: int | Sequence[int], count: int) -> Sequence[int]:
    """The seed of each video. Raises InrvidError: no whole numbers, or not as many as there are videos."""
    with contextlib.suppress(TypeError):
        if not getattr(seed, "shape", ()) and not isinstance(seed, Sequence):  # a number, a tensor of one included
            return range(first := operator.index(seed), first + count)
        seeds = [operator.index(one) for one in seed]  # type: ignore[union-attr]
        if len(seeds) == count:
            return seeds
    raise InrvidError(f"seed: expected a whole number, or {count} of them, one for each video, got {seed!r}")
