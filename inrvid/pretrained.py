"""Networks that are saved, loaded and published: what generators and discriminators have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Self

if TYPE_CHECKING:
    from torch import Tensor, nn


class Pretrained:
    """Base of networks that consist of plain data (`config`) and weights; for their files see `inrvid.models.files`."""

    kind: ClassVar[str]
    """Registry that builds it: generators, discriminators."""

    def save_pretrained(self, directory: str | Path, *, dtype: str | None = None, **metadata: Any) -> None:
        """Write config.json and model.safetensors.

        Args:
            dtype: float16 or bfloat16, for a file of half the size; it is loaded as float32 again.
            metadata: plain data, for config.json.

        Raises:
            InrvidError: `dtype` cannot represent some of the weights.
        """
        from .models.files import save_network

        save_network(self, Path(directory), metadata, dtype=dtype)  # type: ignore[arg-type]

    @classmethod
    def from_pretrained(cls, name: str | Path, **options: Any) -> Self:
        """Load what `save_pretrained` wrote: a folder, a run that contains one, or a Hub repository `owner/name`.

        Args:
            options: revision, token, precision, subfolder: `inrvid.models.pretrained.load_network`.

        Raises:
            InrvidError: not found, not a model, damaged, or a component whose package is missing.
        """
        from .models.pretrained import load_network

        return load_network(cls.kind, name, **options)  # type: ignore[return-value]

    def adopted(self, other: nn.Module) -> dict[str, Tensor]:
        """Initial weights from another model (`train.init`), under this network's own names.

        By default those of `other` under their names there; the caller leaves out what has no place here or another
        shape. A network that contains another one (a second stage) takes that one's, and what it computes from them.
        """
        return other.state_dict()

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Publish to the Hub; returns the address of the commit.

        Args:
            options: private, token, message, and metadata for config.json: `inrvid.models.pretrained.push_network`.

        Raises:
            InrvidError: the Hub refuses, or cannot be reached.
        """
        from .models.pretrained import push_network

        return push_network(self, repo_id, **options)  # type: ignore[arg-type]
