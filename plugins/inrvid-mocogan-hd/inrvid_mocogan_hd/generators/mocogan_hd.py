"""MoCoGAN-HD's generator (ICLR 2021): a video is a path in the W space of a frozen image generator.

    w(t) = w + λ·m(t)·V

w is the style of the latent z, V the first principal axes of W, each as long as its deviation, m(t) the motion's code
(0 at the first frame with `latent_walk`, so that the video begins with the picture of z). Frame t is the picture of
w(t): to the image generator, a video of one frame with a style of its own. Any image generator and any motion will do.

The image generator is that of the first stage: `train.init` (`adopted`) takes its weights and computes V from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, cast

import torch
from pydantic import Field, WithJsonSchema, field_serializer, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from inrvid.plugins import (
    Count,
    Draws,
    Grid,
    Latents,
    Layers,
    MotionState,
    NoiseSequence,
    ParameterGroup,
    PartConfig,
    PartOf,
    Positive,
    Seed,
    VideoGenerator,
    VideoINR,
    is_recording,
    registry,
    without_autocast,
)

from .principal import principal_axes, styles

SHARED = (
    "resolution",
    "clip_length",
    "fps",
    "label_dim",
    "z_dim",
    "w_dim",
    "mapping_layers",
    "half_blocks",
    "half_dtype",
)
"""Keys of a generator that the image generator takes from the video generator."""

AT_ONCE = 32
"""Frames that are drawn together, without gradients."""


class MocoganHd(VideoGenerator):
    """A path in the W space of a frozen image generator, along the principal axes of W."""

    source = "MoCoGAN-HD (ICLR 2021) §3"

    class Config(VideoGenerator.Config):
        mapping_layers: Layers = Field(8, description="layers of the image generator's mapping network")
        motion: Annotated[PartConfig, PartOf("motions")] = Field(
            {"type": "latent_walk", "recognises": True},
            validate_default=True,
            description="motion parametrization; its code is a displacement along the principal axes",
        )
        image: Annotated[PartConfig, PartOf("generators"), WithJsonSchema({"type": "object"})] = Field(
            {"type": "stylegan2", "motion": {"type": "static"}},
            validate_default=True,
            description="image generator, without the keys that it shares with this one (resolution, z_dim, w_dim, "
            "label_dim, mapping_layers, …)",
        )
        n_pca: Count = Field(384, description="principal axes, at most w_dim; the authors advise 256 at least")
        step: Positive = Field(0.2, description="λ: length of a step, in deviations; the authors advise 0.5 at most")
        pca_samples: Annotated[int, Field(ge=2, le=10**8)] = Field(
            1_000_000, description="styles from which the principal axes are computed when a second stage begins"
        )
        pca_seed: Seed = Field(0, description="seed of those styles")

        @field_serializer("image")
        def _without_what_is_shared(self, image: PartConfig) -> dict[str, Any]:
            return {key: value for key, value in image.model_dump(mode="json").items() if key not in SHARED}

        @model_validator(mode="before")
        @classmethod
        def _share(cls, data: Any) -> Any:
            """Give the image generator this one's keys, before it is validated."""
            image = data.get("image", cls.model_fields["image"].default) if isinstance(data, Mapping) else None
            if not isinstance(image, Mapping):
                return data
            shared = {key: data.get(key, cls.model_fields[key].default) for key in SHARED}
            return {**data, "image": {**shared, **image}}

        @model_validator(mode="after")
        def _agree(self) -> Self:
            for key in SHARED:
                own, of_image = getattr(self, key), getattr(self.image, key)
                if of_image != own:
                    raise ValueError(f"image.{key} is {of_image}, but {key} is {own}: leave it out")
            return self

    axes: Tensor
    test_settings: ClassVar[dict[str, Any]] = {
        "mapping_layers": 2,
        "motion": {"type": "latent_walk", "code_dim": 8},
        "image": {"type": "stylegan2", "channel_base": 256, "channel_max": 16, "motion": {"type": "static"}},
    }

    def __init__(self, config: Config):
        super().__init__(config)
        del self._modules["mapping"]  # it is the image generator's
        self.image: VideoGenerator = registry("generators").build(_image_config(config)).requires_grad_(False)
        count = min(config.n_pca, config.w_dim)
        self.head = self.motion.head(count, config.w_dim)
        self.step = config.step
        # V; until a first stage is adopted, the plain axes of W
        self.register_buffer("axes", torch.eye(count, config.w_dim))
        self.train()

    @staticmethod
    def make_mapping(config: VideoGenerator.Config) -> nn.Module:
        return nn.Identity()

    @property
    def mapping(self) -> nn.Module:  # type: ignore[override]
        return self.image.mapping

    @property
    def num_ws(self) -> int:
        return self.image.num_ws

    @without_autocast
    def inr(self, latents: Latents, truncation: float = 1.0) -> VideoINR:
        """φ of the videos. Truncation moves the finished path towards the mean of w, and shortens its steps with it.

        Given styles (`latents.ws`) are used for the pictures, without the noise maps of the content; the motion starts
        at the first of them.
        """
        if latents.ws is not None:
            video = self.inr_of_ws(self.styles(latents, truncation), latents.motion, latents.label)
            video.phi |= {"w": latents.ws[:, 0], "length": video.phi["length"] * truncation}
            return video
        w = self.mapping(latents.content, latents.label)
        kept = w if truncation == 1 else self.mapping(latents.content, latents.label, truncation)
        video = self.inr_of_ws(kept[:, None].expand(-1, self.num_ws, -1), latents.motion, latents.label)
        video.phi |= {"w": w, "length": w.new_full((w.shape[0], 1), truncation), **self._noise_maps(latents.content)}
        return video

    def modulate(self, ws: Tensor) -> dict[str, Tensor]:
        """`w` is where the motion starts, `length` what its steps are multiplied by."""
        return {"ws": ws, "w": ws[:, 0], "length": ws.new_ones(ws.shape[0], 1)}

    def style_weights(self) -> Tensor:
        return self.image.style_weights()

    def check_grid(self, grid: Grid) -> None:
        self.image.check_grid(grid)

    @property
    def side_multiple(self) -> int:
        return self.image.side_multiple

    # Numbers of videos come from shapes, not from `len`, which would fix them in a program that is recorded.

    def render(self, phi: Mapping[str, Tensor], state: MotionState, t: Tensor, grid: Grid) -> Tensor:
        moved = self.head(state, phi["w"])  # [B, T, n_pca], or [B, T, 0]
        frames = t.shape[1] if moved.shape[2] else 1
        ws = phi["ws"][:, None].expand(-1, frames, -1, -1)
        if moved.shape[2]:
            ws = ws + ((self.step * moved) @ self.axes * phi["length"][:, None])[:, :, None]
        maps = {key: value for key, value in phi.items() if key.startswith("noise.")}
        video = torch.arange(ws.shape[0], device=ws.device).repeat_interleave(frames)
        ws = ws.flatten(0, 1)
        whole = torch.is_grad_enabled() or is_recording()
        parts = [slice(0, ws.shape[0])] if whole else _parts(ws.shape[0])
        drawn = [self._pictures(ws[part], {key: m[video[part]] for key, m in maps.items()}, grid) for part in parts]
        return torch.cat(drawn).unflatten(0, (-1, frames)).expand(-1, t.shape[1], -1, -1, -1).contiguous()

    def recognised(self, latents: Latents, t: Tensor) -> tuple[Tensor, Tensor] | None:
        """The motion noises of the steps that lead to the times t and what the motion recognises of them, each
        `[B, n, z_dim]`; None: this motion recognises none."""
        known = getattr(self.head, "recognised", None)
        if known is None:
            return None
        state = self.motion(latents.motion, latents.label, t)
        told = known(state, self.mapping(latents.content, latents.label))
        return None if told is None else (state.noise, told)

    def adopted(self, other: nn.Module) -> dict[str, Tensor]:
        """Weights of another generator of this kind; or of an image generator, and the principal axes of its W.

        Args:
            other: the generator of a first stage, or one of this kind.
        """
        if not isinstance(other, VideoGenerator) or isinstance(other, MocoganHd):
            return other.state_dict()
        weights = {f"image.{name}": value for name, value in other.state_dict().items()}
        config = cast(MocoganHd.Config, self._config)
        if other.z_dim == self.z_dim and other.label_dim == self.label_dim:
            weights["axes"] = self._axes_of(other, config)
        return weights

    def parameter_groups(self) -> Iterator[ParameterGroup]:
        """The motion learns; the image generator does not."""
        yield ParameterGroup([*self.motion.parameters(), *self.head.parameters()])

    def train(self, mode: bool = True) -> Self:
        """Modules of the image generator that keep statistics stay in evaluation mode: these are frozen, too."""
        super().train(mode)
        for module in self.image.modules():
            if next(module.buffers(recurse=False), None) is not None:
                module.eval()
        return self

    @torch.no_grad()
    def _axes_of(self, image: VideoGenerator, config: Config) -> Tensor:
        image = image.eval()
        drawn = styles(
            image.mapping,
            z_dim=image.z_dim,
            label_dim=image.label_dim,
            count=config.pca_samples,
            seed=config.pca_seed,
            device=image.device,
        )
        return principal_axes(drawn)[: len(self.axes)]

    def _noise_maps(self, content: Tensor) -> dict[str, Tensor]:
        """Noise maps of an image generator that takes them in: the same for all frames of a video."""
        own = getattr(self.image, "noise_maps", None)
        return {} if own is None else own(content)

    def _pictures(self, ws: Tensor, maps: Mapping[str, Tensor], grid: Grid) -> Tensor:
        """Styles `[N, num_ws, w_dim]` → pictures `[N, 3, H, W]`: videos at time 0, all with one motion noise."""
        image, count = self.image, ws.shape[0]
        noise: Tensor | NoiseSequence = image.motion.sample_noise(Draws.of_seeds([0], "motion"))
        noise = noise.to(ws.device, non_blocking=True)
        noise = noise.expand(count, *noise.shape[1:]) if isinstance(noise, Tensor) else noise[[0] * count]
        label, t = ws.new_zeros(count, image.label_dim), ws.new_zeros(count, 1)
        state = image.motion(noise, label, t)
        return image.render({**image.modulate(ws), **maps}, state, t, grid)[:, 0]


def _image_config(config: MocoganHd.Config) -> PartConfig:
    """The image generator's configuration, with the shared keys: some come from the data, after validation."""
    return config.image.model_copy(update={key: getattr(config, key) for key in SHARED})


def _parts(count: int) -> list[slice]:
    return [slice(start, start + AT_ONCE) for start in range(0, count, AT_ONCE)]
