"""Optimizers, and gradients that survive several processes and a bad batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from ..layers.parameters import ParameterGroup
from ..recipe.schema import OptimizerConfig
from ..schedule import value_at


def adam(groups: Iterable[ParameterGroup], config: OptimizerConfig) -> torch.optim.Adam:
    """Adam over the parameters that are not frozen, each group at its own rate, adjusted for lazy regularisation: lr·c
    and betas^c, c = k/(k + 1) (StyleGAN2, appendix B). Weight decay is added to the gradient (L2)."""
    learned = [
        {"params": own, "lr_scale": group.lr_scale, "own_betas": group.betas, "eps": group.eps or config.eps}
        for group in groups
        if (own := [p for p in group.parameters if p.requires_grad])
    ]
    optimizer = torch.optim.Adam(learned, weight_decay=config.weight_decay, fused=True)
    follow(optimizer, config, 0)
    return optimizer


def follow(optimizer: torch.optim.Optimizer, config: OptimizerConfig, clips_seen: int) -> None:
    """Set each group's rate and betas after `clips_seen` clips."""
    k = config.lazy_interval
    c = k / (k + 1) if k else 1.0
    lr, betas = value_at(config.lr, clips_seen), tuple(value_at(beta, clips_seen) for beta in config.betas)
    for group in optimizer.param_groups:
        group["lr"] = lr * c * group["lr_scale"]
        group["betas"] = tuple(beta**c for beta in group["own_betas"] or betas)


class Gradients:
    """The gradients of a network, averaged over processes and made finite (NaN → 0, ±∞ → ±1e5)."""

    LIMIT = 1e5

    def __init__(self, parameters: Sequence[nn.Parameter], accelerator: Accelerator):
        self.parameters, self.accelerator = parameters, accelerator

    def settle(self) -> Tensor:
        """Average and clean the gradients, between backward and the optimizer's step. They become views of one tensor.

        Returns 0 if all of their values were finite, else 1: as a tensor, since reading it waits for the device.
        """
        # A missing gradient counts as 0: every process must reduce equally many numbers.
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
        flat = torch.cat([g.flatten() for g in gradients])
        if self.accelerator.num_processes > 1:
            flat = self.accelerator.reduce(flat, "mean")
        wrong = (~flat.sum().isfinite()).long()  # a sum is finite unless a value is not (or it is about to overflow)
        torch.nan_to_num_(flat, nan=0.0, posinf=self.LIMIT, neginf=-self.LIMIT)
        for p, part in zip(self.parameters, flat.split([p.numel() for p in self.parameters]), strict=True):
            p.grad = part.view_as(p)
        return wrong
