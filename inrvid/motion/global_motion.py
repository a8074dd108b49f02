"""One motion vector per video (DIGAN §3.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import Self

from ..config import PartConfig, Positive
from ..errors import InrvidError
from ..layers.linear import EqLinear
from ..random import Draws
from .base import Motion, MotionHead


class GlobalState(NamedTuple):
    noise: Tensor
    """z_M, `[B, z_dim]`."""
    tau: Tensor
    """Time as a fraction of the clip, 1 at its last frame, `[B, T]`."""


class GlobalMotion(Motion[Tensor, GlobalState]):
    """One motion vector per video, scaled by time and passed through f_M.

        g    = affine(w ‖ z_M)
        m(t) = f_M(g·σt·τ),   τ = t / (clip_length − 1)
        f_M(u) = EqLinear(lrelu(EqLinear(lrelu_0.01(u))))

    g is the direction in which the phases of the coordinate embedding move, m(t) the motion term that is added to them.
    """

    source = "DIGAN (ICLR 2022) §3.2"

    class Config(PartConfig):
        """DIGAN's motion vector; the flags correspond to the rows of its ablations (table 5, table 7)."""

        sigma_t: Positive = Field(0.25, description="σt: scale of time; 0.5 for 128-frame clips")
        content: bool = Field(True, description="the motion vector depends on the content's style w")
        noise: bool = Field(True, description="the motion vector depends on the motion noise z_M")
        nonlinear: bool = Field(True, description="pass the motion term through f_M")

        @model_validator(mode="after")
        def _depends_on_something(self) -> Self:
            if not (self.content or self.noise):
                raise ValueError("one of 'content' and 'noise' must be true (motion: {type: static} has none)")
            return self

    config: Config

    def sample_noise(self, draws: Draws) -> Tensor:
        return draws.normal(self.z_dim)

    def head(self, width: int, w_dim: int) -> MotionHead[GlobalState]:
        return GlobalHead(self.config, width=width, w_dim=w_dim, z_dim=self.z_dim)

    def forward(self, noise: Tensor, label: Tensor, t: Tensor) -> GlobalState:
        """Raises InrvidError: noise of a motion of another kind."""
        if not isinstance(noise, Tensor) or noise.ndim != 2:
            found = f"shape {list(noise.shape)}" if isinstance(noise, Tensor) else f"a {type(noise).__name__}"
            raise InrvidError(f"motion noise: expected [B, {self.z_dim}], got {found}: latents of another model?")
        wide = torch.promote_types(noise.dtype, torch.float32)  # half precision cannot tell enough times apart
        return GlobalState(noise, (t.double() / (self.clip_length - 1)).to(wide))


class GlobalHead(MotionHead[GlobalState]):
    def __init__(self, config: GlobalMotion.Config, *, width: int, w_dim: int, z_dim: int):
        super().__init__()
        self.config, self.width = config, width
        self.affine = EqLinear(w_dim * config.content + z_dim * config.noise, width)
        self.mlp = (
            nn.Sequential(EqLinear(width, width, activate=True), EqLinear(width, width)) if config.nonlinear else None
        )

    def forward(self, state: GlobalState, w: Tensor) -> Tensor:
        inputs = [w] * self.config.content + [state.noise] * self.config.noise
        dtype = self.affine.weight.dtype
        direction = self.affine(torch.cat(inputs, dim=1).to(dtype))
        motion = (direction[:, None] * (state.tau * self.config.sigma_t)[..., None]).to(dtype)
        return motion if self.mlp is None else self.mlp(F.leaky_relu(motion, 0.01))
