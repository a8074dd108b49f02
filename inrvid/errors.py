"""What a user can fix.

Every error that comes from a recipe, a path, a file or an argument is an `InrvidError`: its message is
complete by itself (where, what, what to do next), the command line prints it without a traceback and
exits with code 2. Any other exception is a bug in the library and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InrvidError(Exception):
    """Something that the user can fix; the message says where, what, and what to do next."""


class ConfigError(InrvidError):
    """A configuration that does not describe anything the library can build.

    `problems` holds one `(path, message)` per problem; `path` is a tuple of keys below the configuration's root.
    """

    def __init__(self, problems: list[tuple[tuple[str, ...], str]], prefix: tuple[str, ...] = ()):
        self.problems = [((*prefix, *path), message) for path, message in problems]
        super().__init__("\n".join(f"{dotted(path)}: {message}" for path, message in self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[object, ...]]:
        return type(self), (self.problems,)  # by default, an exception is rebuilt from its message


class DataError(InrvidError):
    """Videos that are missing, unreadable or unfit for what the recipe asks of them."""


class ModelError(InrvidError):
    """A saved model that cannot be loaded as it is."""


def dotted(path: Iterable[object]) -> str:
    """Keys as people write them, on one line whatever is in them."""
    return " ".join(".".join(str(key) for key in path).splitlines()) or "(top level)"


def did_you_mean(name: str, existing: Iterable[str]) -> str:
    """' Did you mean 'x'?' for the nearest existing name, or nothing if none is near."""
    near = difflib.get_close_matches(str(name), list(existing), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""
