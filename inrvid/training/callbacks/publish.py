"""Publishing the result."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ...errors import InrvidError
from ...models import hub
from ...models.pretrained import BESIDE
from ...publishing.folder import pack
from ..run import Run
from .base import Callback


class Publish(Callback):
    """Publishes the model with its card, scores and samples to `hub.repo_id`, from the main process."""

    def on_end(self, run: Run) -> None:
        config = run.recipe.hub
        if config.repo_id is None or not run.is_main:
            return
        try:
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary) / "model"
                pack(run.run_dir, folder, name=config.repo_id)
                published = hub.push(folder, config.repo_id, private=config.private, own=BESIDE)
        except InrvidError as error:
            raise InrvidError(
                f"{error}\n  the model is in {run.run_dir / 'model'}; the same command publishes it, or: "
                f"inrvid hub push {run.run_dir} {config.repo_id}"
            ) from None
        run.say(f"published: {published.url}")
