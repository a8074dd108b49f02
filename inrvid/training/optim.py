"""Optimizers, and gradients that survive several processes and a bad batch."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from ..recipe import OptimizerConfig


def adam(parameters: Iterable[nn.Parameter], config: OptimizerConfig) -> torch.optim.Adam:
    """Adam with the rates of lazy regularisation: lr·c and betas^c, c = k/(k + 1) (StyleGAN2, appendix B)."""
    k = config.lazy_interval
    c = k / (k + 1) if k else 1.0
    beta1, beta2 = (beta**c for beta in config.betas)
    return torch.optim.Adam(parameters, lr=config.lr * c, betas=(beta1, beta2), eps=config.eps, fused=True)


class Gradients:
    """The gradients of one network, averaged over processes and made finite (NaN → 0, ±∞ → ±1e5)."""

    LIMIT = 1e5

    def __init__(self, module: nn.Module, accelerator: Accelerator):
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.accelerator = accelerator

    def settle(self) -> Tensor:
        """To be called between backward and the optimizer's step.

        Returns the number of tensors with values that were not finite: a tensor, as reading it waits for the device.
        """
        for p in self.parameters:
            if p.grad is None:  # every process must reduce the same tensors
                p.grad = torch.zeros_like(p)
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        if self.accelerator.num_processes > 1:
            flat = torch.cat([g.flatten() for g in gradients])
            flat = self.accelerator.reduce(flat, "mean")
            torch._foreach_copy_(
                gradients,
                [f.view_as(g) for f, g in zip(flat.split([g.numel() for g in gradients]), gradients, strict=True)],
            )
        # The sum of a gradient is finite unless one of its values is not (or it is about to overflow).
        wrong = torch.stack([~g.sum().isfinite() for g in gradients]).sum()
        for g in gradients:
            torch.nan_to_num_(g, nan=0.0, posinf=self.LIMIT, neginf=-self.LIMIT)
        return wrong
