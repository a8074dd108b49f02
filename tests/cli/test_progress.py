"""What a long command says where there is no terminal."""

from __future__ import annotations

from inrvid.cli.progress import shown


def test_a_search_that_goes_on_says_from_where(capsys):
    with shown("projecting", "steps") as show:
        show(8, 9, 0.5)
        show(9, 9, 0.25)
    assert capsys.readouterr().err == (
        "projecting: resuming after 7 steps\nprojecting: 9 of 9 steps, distance 0.25, 0 min left\n"
    )


def test_one_that_begins_does_not(capsys):
    with shown("projecting", "steps") as show:
        show(1, 1, 0.25)
    with shown("drawing", "frames") as show:
        show(5, 9)
    assert capsys.readouterr().err == "projecting: 1 of 1 steps, distance 0.25, 0 min left\n"
