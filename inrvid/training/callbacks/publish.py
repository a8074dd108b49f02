"""Publishing the result."""

from __future__ import annotations

from ...errors import InrvidError
from ..run import Run
from .base import Callback


class Publish(Callback):
    """The model with its scores, to `hub.repo_id`, from the main process."""

    def on_end(self, run: Run) -> None:
        hub = run.recipe.hub
        if hub.repo_id is None or not run.is_main:
            return
        try:
            commit = run.generator.push_to_hub(hub.repo_id, private=hub.private, scores=run.scores, **run.provenance)
        except InrvidError as error:
            raise InrvidError(
                f"{error}\n  the model is in {run.run_dir / 'model'}; the same command publishes it"
            ) from None
        run.say(f"published: {commit}")
