"""What models there are: on the Hub, or in a folder of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import InrvidError, ModelError
from ..models.files import is_model
from ..models.hub import published_models
from ..run_files import EVALUATION, read_evaluation
from ..text import printable, rounded
from .about import read_about, section, text


def listing(where: str | None, *, as_json: bool) -> str:
    """One line per model, or JSON: of a folder, if one has that name, else of an owner on the Hub, or of all owners.

    Raises:
        InrvidError: there is none; the Hub cannot be reached.
    """
    path = None if where is None else Path(where).expanduser()
    if path is not None and path.is_dir():
        rows = [_local(folder) for folder in sorted(path.iterdir()) if is_model(folder)]
    elif path is not None and len(path.parts) > 1:
        raise InrvidError(f"{where}: no such folder, and not an owner on the Hub")
    else:
        try:
            rows = [_remote(info) for info in published_models(where)]
        except ModelError as error:
            if where is None:
                raise
            raise ModelError(f"{error}\n  (there is no folder '{where}' here)") from error
    if as_json:
        return json.dumps(rows, indent=2)
    if not rows:
        raise InrvidError(f"{where or 'the Hub'}: no models of inrvid")
    lines = [(_line(row["name"]), _line(row["told"])) for row in rows]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {told}".rstrip() for name, told in lines)


def _line(text: str) -> str:
    return printable(" ".join(text.split()))


def _local(folder: Path) -> dict[str, Any]:
    try:
        about = read_about(folder)
    except ModelError as error:
        return {"name": folder.name, "told": f"damaged: {error}"}
    record, _ = read_evaluation(folder / EVALUATION)
    scores = {} if record is None else {name: score.value for name, score in record.scores.items()}
    told = text(section(about, "recipe"), "description")
    first = next(iter(scores.items()), None)
    return {
        "name": folder.name,
        "told": told + (f"; {first[0]} {rounded(first[1], 4)}" if first else ""),
        "clips": about.get("clips"),
        "scores": scores,
    }


def _remote(info: Any) -> dict[str, Any]:
    modified = getattr(info, "last_modified", None)
    told = [f"{modified:%Y-%m-%d}" if modified else "", "private" if getattr(info, "private", False) else ""]
    return {"name": info.id, "told": ", ".join(part for part in told if part), "tags": list(info.tags or [])}
