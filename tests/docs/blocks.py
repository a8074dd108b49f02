"""The code blocks of a page, and the commands of a shell block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARK = re.compile(r"\s*<!-- not run(.*?)-->\s*")
_FENCE = re.compile(r"( *)```([\w+-]*)\s*")
_FILE = re.compile(r"# ([\w./-]+\.\w+)\s*$")


class Block(NamedTuple):
    language: str
    text: str
    line: int
    """Of its first line in the page."""
    not_run: bool = False

    @property
    def file(self) -> str:
        """The file that it is, by the comment in its first line; empty: none."""
        match = _FILE.match(self.text.partition("\n")[0])
        return match[1] if match else ""


def blocks(page: str) -> list[Block]:
    """Raises ValueError: a block without an end, or a mark without a reason, or before no block."""
    return list(_blocks(page.split("\n")))


def _blocks(lines: list[str]) -> Iterator[Block]:
    number, marked = 0, False
    while number < len(lines):
        line = lines[number]
        number += 1
        if mark := _MARK.fullmatch(line):
            if len(mark[1].strip(" :.")) < 3 or not mark[1].startswith(":"):
                raise ValueError(f"line {number}: write the reason: <!-- not run: reason -->")
            marked = True
        elif fence := _FENCE.fullmatch(line):
            first = number
            while number < len(lines) and lines[number].strip() != "```":
                number += 1
            if number == len(lines):
                raise ValueError(f"line {first}: a block without an end")
            inside = [text.removeprefix(fence[1]) for text in lines[first:number]]
            yield Block(fence[2], "\n".join([*inside, ""]), first + 1, marked)
            number, marked = number + 1, False
        elif line.strip() and marked:
            raise ValueError(f"line {number}: 'not run' stands directly before a block")


def commands(text: str) -> Iterator[str]:
    """One at a time: lines that a backslash continues are one, and so is what a here-document belongs to."""
    lines = iter(text.splitlines())
    for line in lines:
        while line.endswith("\\"):
            line = line[:-1].rstrip() + " " + next(lines, "").strip()
        if document := re.search(r"<<-?\s*['\"]?(\w+)", line):
            for more in lines:
                line += "\n" + more
                if more.strip() == document[1]:
                    break
        if line.strip() and not line.lstrip().startswith("#"):
            yield line
