"""What holds for every command, whatever it does."""

from __future__ import annotations

import pytest
import typer

from inrvid.cli import run
from inrvid.cli.commands import Commands


@pytest.fixture
def made(monkeypatch, capsys):
    """Runs a command that is the function; returns its exit code and what it says."""

    def ended(function):
        app = typer.Typer(cls=Commands)
        app.command("work")(function)
        app.callback()(lambda: None)
        monkeypatch.setattr("sys.argv", ["x", "work"])
        with pytest.raises(SystemExit) as caught:
            run(app)
        return caught.value.code, capsys.readouterr().err

    return ended


def test_what_a_command_returns_is_no_exit_code(made):
    assert made(lambda: 3) == (0, "")
    assert made(lambda: True) == (0, "")


def test_exit_codes_are_those_that_are_raised(made):
    def work():
        raise typer.Exit(7)

    assert made(work) == (7, "")


def test_a_file_that_ends_too_early_is_told(made):
    def work():
        raise EOFError("no data left")

    assert made(work) == (2, "a file ended too early: no data left\n")


def test_an_interruption_has_a_word(made):
    def work():
        raise KeyboardInterrupt

    code, told = made(work)
    assert code == 130
    assert told.startswith("interrupted: ")
