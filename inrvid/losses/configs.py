"""Configurations of the losses."""

from __future__ import annotations

from pydantic import Field

from ..config import Count, NotNegative, PartConfig


class LogisticConfig(PartConfig):
    r1_gamma: NotNegative = Field(1.0, description="γ of the R1 penalty, γ/2·‖∇‖², for each head")
    r1_interval: Count = Field(16, description="steps between two penalties; each weighs as much as all it stands for")
