"""What a run finds around it: trackers, and launchers' settings that two networks in one training cannot have."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence

from accelerate.utils import LoggerType

from ..errors import InrvidError, did_you_mean

SHARDING = {
    "ACCELERATE_USE_FSDP": "FSDP",
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
}
"""What `accelerate launch` sets for plugins that take one model apart."""


def refuse_sharding() -> None:
    """Raises InrvidError if an `accelerate config` asks for a plugin that a GAN's two networks cannot have."""
    for variable, name in SHARDING.items():
        if os.environ.get(variable, "false").lower() in ("true", "1"):
            raise InrvidError(
                f"accelerate's configuration asks for {name}, which splits one model; a GAN trains two. Choose "
                "multi-GPU without it (accelerate config), or start with: inrvid train"
            )


def checked(trackers: Sequence[str]) -> list[str]:
    """Raises InrvidError for a tracker that Accelerate does not know or that is not installed."""
    known = [kind.value for kind in LoggerType if kind != LoggerType.ALL]
    for name in trackers:
        if name not in known:
            near = did_you_mean(name, known)
            raise InrvidError(f"train.trackers: no tracker named '{name}'.{near}\n  available: {', '.join(known)}")
        if importlib.util.find_spec(name) is None:
            raise InrvidError(f"train.trackers: {name} is not installed: pip install {name}")
    return list(trackers)
