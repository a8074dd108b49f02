"""One training step: the phases of the loss (`losses.base`), one after another, then the moving average.

All randomness of a step is a function of (seed, step, global sample index); nothing waits for the device.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from ..augment.base import Augment
from ..discriminators.base import Discriminator, Tensors
from ..errors import InrvidError
from ..generators.base import VideoGenerator
from ..layers.parameters import parameter_groups
from ..losses.base import AdversarialLoss, ClipKind, Network, Phase
from ..recipe.schema import OptimizerConfig, Recipe
from ..registry import registry
from ..time_samplers.base import TimeSampler
from .ema import MovingAverage
from .optim import Gradients, adam, follow
from .turn import TurnOf

COMPILES = "2.11"
"""The oldest PyTorch that was found to compile the networks correctly: 2.4 fails, 2.6 silently loses gradients."""


@dataclasses.dataclass
class Batch:
    """Real clips on the device: frames `[B, T, 3, H, W]` in [−1, 1], t `[B, T]`, label `[B, classes]`."""

    frames: Tensor
    t: Tensor
    label: Tensor
    samples: Sequence[int]
    """Global sample indices."""


class TrainingStep:
    """The networks, their optimizers, and how one batch changes them.

    Args:
        lengths: int64 `[videos]`, frames of each training video: each generated clip is of a video as long as one of
            them, drawn uniformly.

    Raises:
        InrvidError: `train.compile` with a PyTorch that would get the gradients wrong.
    """

    def __init__(self, recipe: Recipe, G: VideoGenerator, D: Discriminator, accelerator: Accelerator, lengths: Tensor):
        self.recipe, self.accelerator, self.lengths = recipe, accelerator, lengths
        self.seed = recipe.seed
        """Seed of all draws; another one after a rollback."""
        self.clips_seen = 0
        """Number of clips seen before the current step."""
        self.G, self.D = G.to(accelerator.device).train(), D.to(accelerator.device).train()
        self._observed = False
        """Whether the augmentation has seen this step's logits."""
        self.ema = MovingAverage(self.G, recipe.train)
        if recipe.train.compile and torch.__version__ < COMPILES:
            raise InrvidError(
                f"train.compile: PyTorch {torch.__version__} compiles these networks to wrong gradients: it takes "
                f"{COMPILES} or newer"
            )
        # A compiled graph silently drops second derivatives: penalties call D itself.
        self.run_G, self.run_D = (torch.compile(m) if recipe.train.compile else m for m in (self.G, self.D))
        self.augment: Augment = registry("augments").build(recipe.augment).to(accelerator.device)
        self.sampler: TimeSampler = registry("time_samplers").build(recipe.time_sampler)
        self.loss: AdversarialLoss = registry("losses").build(recipe.loss)
        self.optimizers: dict[Network, torch.optim.Optimizer] = {}
        self._gradients: dict[Network, Gradients] = {}
        self._add("generator", self.G, recipe.optim.generator)
        self._add("discriminator", self.D, recipe.optim.discriminator)
        self.phases = [phase for phase in self.loss.phases() if phase.moves in self.optimizers]

    def _add(self, name: Network, network: nn.Module, config: OptimizerConfig) -> None:
        """Add an optimizer, unless the network is frozen altogether."""
        groups = [group._replace(parameters=list(group.parameters)) for group in parameter_groups(network)]
        learned = [p for group in groups for p in group.parameters if p.requires_grad]
        known = set(learned)
        for p in network.parameters():  # parameters in no group do not learn
            p.requires_grad_(p in known)
        if learned:
            self.optimizers[name] = adam(groups, config)
            self._gradients[name] = Gradients(learned, self.accelerator)

    def __call__(self, step: int, batches: Sequence[Batch], *, clips_seen: int) -> dict[str, Tensor]:
        """Train on one batch, given as micro-batches of equal size; returns the values to log, on the device."""
        log: dict[str, Tensor] = {}
        self.clips_seen = clips_seen
        for name, optimizer in self.optimizers.items():
            follow(optimizer, getattr(self.recipe.optim, name), clips_seen)
        for phase in self.phases:
            if step % phase.interval == 0:
                log |= self._play(phase, step, batches)
        log |= self.augment.report()
        self.ema.update(self.G, clips=self.recipe.train.batch_size, clips_seen=clips_seen)
        self._observed = False
        return log

    def prepare_to_save(self) -> None:
        """To be called by all processes before one of them saves."""
        self.augment.even_out(self._mean)

    def _play(self, phase: Phase, step: int, batches: Sequence[Batch]) -> dict[str, Tensor]:
        losses, judged = [], []
        with self._moving(phase.moves), self.G.as_one_batch(self._mean):
            for batch in batches:
                turn = TurnOf(self, phase, step, batch)
                loss = _scalar(phase.loss(turn), phase)
                (loss * phase.weight / len(batches)).backward()
                losses.append(loss.detach())
                judged.append({kind: _detached(logits) for kind, logits in turn.judged.items()})
        log = {f"loss/{phase.name}": torch.stack(losses)}
        if phase.moves == "discriminator":
            log |= self._observe({kind: _joined([part[kind] for part in judged]) for kind in judged[0]})
        log[f"nonfinite/{phase.name}"] = self._update(phase.moves)
        if phase.after is not None:
            with torch.no_grad():
                phase.after(self.G, self.D)
        return log

    def _observe(self, judged: dict[ClipKind, Tensors]) -> dict[str, Tensor]:
        """The signs of logits; an adaptive augmentation follows those of real clips, once per step."""
        if "real" in judged and not self._observed:
            steering = self.D.steering(judged["real"])
            self.augment.observe(steering, clips=self.recipe.train.batch_size, total=self._total)
            self._observed = True
        return {f"sign/{kind}_{head}": x.sign() for kind, logits in judged.items() for head, x in logits.items()}

    @contextlib.contextmanager
    def _moving(self, name: Network) -> Iterator[None]:
        """Inside, the other network's parameters are constants; what is frozen stays so."""
        others = [p for other, own in self._gradients.items() if other != name for p in own.parameters]
        for p in others:
            p.requires_grad_(False)
        try:
            yield
        finally:
            for p in others:
                p.requires_grad_(True)

    def _total(self, values: Tensor) -> Tensor:
        return self.accelerator.reduce(values, "sum")

    def _mean(self, values: Tensor) -> Tensor:
        return self.accelerator.reduce(values, "mean")

    def _update(self, name: Network) -> Tensor:
        wrong = self._gradients[name].settle()
        self.optimizers[name].step()
        self.optimizers[name].zero_grad(set_to_none=True)
        return wrong


def _scalar(loss: Tensor, phase: Phase) -> Tensor:
    """The loss. Raises InrvidError if it is not a scalar."""
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        found = f"of the shape {list(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise InrvidError(f"phase {phase.name}: its loss is {found}: expected a tensor of one number")
    return loss


def _detached(logits: Tensors) -> Tensors:
    return {head: value.detach() for head, value in logits.items()}


def _joined(logits: list[Tensors]) -> Tensors:
    return {head: torch.cat([part[head] for part in logits]) for head in logits[0]}
