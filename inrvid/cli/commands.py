"""All commands together: what holds for each of them."""

from __future__ import annotations

from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from ..errors import InrvidError

UsageError: Any = typer.BadParameter.__base__
"""Raised for a wrong argument or option by the parser that typer has, whichever that is."""


class Commands(TyperGroup):
    """Tells what is wrong with arguments as every other error is told, and has a word where a command is interrupted
    that has none of its own."""

    def main(self, args: Any = None, *more: Any, **options: Any) -> NoReturn:
        try:
            raise SystemExit(super().main(args, *more, **{**options, "standalone_mode": False}) or 0)
        except UsageError as error:
            message = str(error.format_message()).strip()
            if type(error).__name__ == "NoArgsIsHelpError":
                typer.echo(message, nl=bool(message))  # empty where it was printed when it was made
                raise SystemExit(error.exit_code) from None
            raise InrvidError(_told(error.ctx, message)) from None
        except typer.Abort:
            typer.echo("aborted", err=True)
            raise SystemExit(1) from None

    def invoke(self, ctx: typer.Context) -> None:  # type: ignore[override]
        try:
            super().invoke(ctx)  # what a command returns is no exit code
        except KeyboardInterrupt:
            typer.echo("interrupted: no unfinished file is left; what one was to replace is unchanged", err=True)
            raise typer.Exit(130) from None
        except EOFError as error:  # of which the parser would make the end of what a user types
            raise InrvidError(f"a file ended too early: {error}") from error


def _told(ctx: Any, message: str) -> str:
    """`message` with the command that it is about, and how to see what that takes."""
    path = getattr(ctx, "command_path", "inrvid")
    return f"{path}: {message[:1].lower()}{message[1:].rstrip('.')}\n  {path} -h shows what it takes"
