"""Names of files as text: what a terminal shows, and what may become part of a path. Numbers as text."""

from __future__ import annotations

import re

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, whatever follows a dot."""

MOST_BYTES = 200

UNFIT = '/\\<>:"|?*'
"""Characters that no file name may have on Windows; the slash, on no system."""


TURNING = "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that begin a line, or turn the direction of what follows: with them, one text can look like another."""


def is_text(name: str) -> bool:
    """Whether a file's name is text: bytes that are no text appear in it as stand-ins (surrogates)."""
    return not any("\ud800" <= c <= "\udfff" for c in name)


def is_printable(text: str) -> bool:
    """Whether a terminal shows it as it is: no control characters, nothing that is not text."""
    return is_text(text) and not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in TURNING for c in text)


def printable(text: str) -> str:
    """`text` without the control characters that names in files may hold: a terminal would obey them."""
    return "".join(c if c == "\n" or is_printable(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def rounded(value: float, digits: int) -> str:
    """A number of so many digits, without an exponent below a million: '100', where format's `.2g` gives '1e+02'."""
    return f"{float(f'{value:.{digits}g}'):g}"


def is_file_name(text: str) -> bool:
    """Whether it can be the name of a file or folder, on any system."""
    return file_name(text) == text


def file_name(text: str) -> str:
    """`text` as the name of a file or folder on any system: what cannot be in one is replaced."""
    name = "".join("_" if c in UNFIT or not is_printable(c) else c for c in text)
    name = name.encode()[:MOST_BYTES].decode(errors="ignore").lstrip().rstrip(". ")
    return (f"_{name}" if RESERVED.fullmatch(name) else name) or "unnamed"
