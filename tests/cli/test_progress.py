"""What a long command says where there is no terminal."""

from __future__ import annotations

from inrvid.cli.progress import shown


def test_a_search_that_goes_on_says_from_where(capsys):
    with shown("projecting", "steps") as show:
        show(8, 9, 0.5)
        show(9, 9, 0.25)
    assert capsys.readouterr().err == ("projecting: resuming after 7 steps\nprojecting: 9 of 9 steps, distance 0.25\n")


def test_one_that_begins_does_not(capsys):
    with shown("projecting", "steps") as show:
        show(1, 1, 0.25)
    with shown("drawing", "frames") as show:
        show(5, 9)
    assert capsys.readouterr().err == "projecting: 1 of 1 steps, distance 0.25\n"


def test_the_time_left_is_in_seconds_where_it_is_short(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("inrvid.cli.progress.time.monotonic", lambda: clock[0])
    with shown("drawing", "frames") as show:
        for done, now in ((1, 40.0), (2, 80.0), (5, 120.0)):
            clock[0] = now
            show(done, 6)
    assert capsys.readouterr().err.splitlines() == [
        "drawing: 1 of 6 frames, 3 min left",
        "drawing: 2 of 6 frames, 3 min left",
        "drawing: 5 of 6 frames, 24 s left",
    ]
