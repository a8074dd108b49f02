"""MoCoGAN-HD's motion (ICLR 2021, §3.1): a walk that an LSTM takes from the style of the first frame on.

With w the style, the encoder's cell gives (h_0, c_0) = enc(w) from zero states, and for each step i = 1, 2, …

    (h_i, c_i) = cell(e_i, (h_{i−1}, c_{i−1})),    u_i = u_{i−1} + tanh(h_i·A + b),    u_0 = 0.

The code at time t is u at t/δ, linear between steps (the release's interpolation, which inserts means, is the same
halfway). The generator `mocogan_hd` takes it as a displacement along the principal axes of W; others take it as they
take any code. To reach t the walk must take all earlier steps: its cost grows with t, and it waits for the device to
learn the latest time. Before 0 it stands still.

(The paper's encoder takes z, the release's takes w; this one w.)
"""

from __future__ import annotations

import itertools
import math
from typing import Any, ClassVar, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from inrvid.plugins import (
    LSTM,
    Count,
    Draws,
    ExplicitNoise,
    Motion,
    MotionHead,
    NoiseSequence,
    PartConfig,
    Positive,
    SeededNoise,
    Span,
)

SPREAD = 0.02
"""Standard deviation of A at the start."""


class Steps(NamedTuple):
    """What the walk's heads are given."""

    noise: Tensor
    """e `[B, n, z_dim]` of the steps 1 … n."""
    place: Tensor
    """t/δ, not before 0: float64 `[B, T]`."""


class LatentWalk(Motion[NoiseSequence | Tensor, Steps]):
    """A walk that an LSTM takes from the style on, one noise a step, linear between steps."""

    source = "MoCoGAN-HD (ICLR 2021) §3.1"

    class Config(PartConfig):
        """Step i uses noise i − 1 of the sequence."""

        distance: Positive = Field(1.0, description="δ: frames between two steps")
        code_dim: Count = Field(384, description="width of the LSTM's state")
        recognises: bool = Field(
            False,
            description="add the network that recognises the noise in the state, as mocogan_hd's losses train it",
        )

    config: Config
    test_settings: ClassVar[dict[str, Any]] = {"code_dim": 8}

    @property
    def span(self) -> Span:
        return Span(-math.inf, self.config.distance, 0)

    def sample_noise(self, draws: Draws) -> NoiseSequence:
        return SeededNoise.of_keys(draws.keys, draws.purpose, self.z_dim)

    def head(self, width: int, w_dim: int) -> WalkHead:
        return WalkHead(self.config, width=width, w_dim=w_dim, noise_dim=self.z_dim)

    def forward(self, noise: NoiseSequence | Tensor, label: Tensor, t: Tensor) -> Steps:
        noise = ExplicitNoise(noise) if isinstance(noise, Tensor) else noise
        place = (t.double() / self.config.distance).clamp(min=0)
        if isinstance(noise, ExplicitNoise):
            noise.at(place.floor().long())  # refuses times that its span does not serve
        last = (place.ceil().long() - 1).clamp(min=0)
        indices = torch.arange(noise.until(last), device=t.device).expand(t.shape[0], -1)
        return Steps(noise.at(indices), place)


class WalkHead(MotionHead[Steps]):
    """The LSTM: states and style → codes."""

    def __init__(self, config: LatentWalk.Config, *, width: int, w_dim: int, noise_dim: int):
        super().__init__()
        self.width = width
        self.enc_cell = nn.LSTMCell(w_dim, config.code_dim)
        self.enc_cell.weight_hh.requires_grad_(False)  # it multiplies a state that is zero
        self.cell = LSTM(noise_dim, config.code_dim, batch_first=True)
        self.out = nn.Linear(config.code_dim, width)
        self.recogniser = (
            nn.Sequential(nn.Linear(2 * config.code_dim, noise_dim), nn.ReLU(), nn.Linear(noise_dim, noise_dim))
            if config.recognises
            else None
        )
        self._initialise()

    def forward(self, state: Steps, w: Tensor) -> Tensor:
        """w `[B, w_dim]` → u `[B, T, width]`."""
        first = [x[None] for x in self.enc_cell(w)]
        h, _ = self.cell(state.noise.to(w.dtype), first)
        steps = self.out(h).tanh().cumsum(dim=1, dtype=torch.float64)  # far out, the sum of many
        codes = torch.cat([steps.new_zeros(steps.shape[0], 1, self.width), steps], dim=1)  # [B, n + 1, width]
        after = state.place.ceil().long()
        before = (after - 1).clamp(min=0)
        weight = (state.place - before)[..., None]
        left, right = (codes.gather(1, i[..., None].expand(-1, -1, self.width)) for i in (before, after))
        return left.lerp(right, weight).to(w.dtype)

    def walk(self, state: Steps, w: Tensor) -> tuple[Tensor, Tensor]:
        """The states h and c of the steps 0 … n, each `[B, n + 1, code_dim]`."""
        noise = state.noise.to(w.dtype).unbind(dim=1)
        weights = list(self.cell.parameters())
        states = itertools.accumulate(
            noise, lambda before, e: torch.lstm_cell(e, before, *weights), initial=self.enc_cell(w)
        )
        h, c = zip(*states, strict=True)
        return torch.stack(h, dim=1), torch.stack(c, dim=1)

    def recognised(self, state: Steps, w: Tensor) -> Tensor | None:
        """ê `[B, n, z_dim]`: the noise of each step, recognised in the state after it; None: without `recognises`."""
        if self.recogniser is None:
            return None
        h, c = self.walk(state, w)
        return self.recogniser(torch.cat([h[:, 1:], c[:, 1:]], dim=2))

    @torch.no_grad()
    def _initialise(self) -> None:
        """Each gate's block orthogonal, biases zero; steps that are small at first."""
        for parameter in (*self.enc_cell.parameters(), *self.cell.parameters()):
            for gate in parameter.chunk(4):
                nn.init.orthogonal_(gate) if gate.ndim == 2 else nn.init.zeros_(gate)
        nn.init.normal_(self.out.weight, std=SPREAD)
        nn.init.zeros_(self.out.bias)
        for layer in self.recogniser or ():
            if isinstance(layer, nn.Linear):
                nn.init.orthogonal_(layer.weight)
