"""Pickles, and PyTorch's files of them, spoilt by their structure: instructions, lengths, places of the memory, names,
numbers, the streams of storages in them, their end."""

from __future__ import annotations

import contextlib
import io
import pickle
import pickletools
import random
from typing import Any

from inrvid.models.snapshots import reader

NAMES = [
    "os", "posix", "system", "builtins", "__builtin__", "eval", "exec", "getattr", "open", "subprocess", "Popen",
    "torch", "load", "torch.hub", "torch.storage", "_load_from_bytes", "torch._utils", "_rebuild_tensor_v2",
    "_rebuild_parameter", "collections", "OrderedDict", "numpy", "ndarray", "numpy.core.multiarray", "scalar",
    "_reconstruct", "torch_utils.persistence", "_reconstruct_persistent_obj", "copyreg", "_reconstructor", "list",
    "omegaconf.dictconfig", "DictConfig", "FloatStorage", "DoubleStorage", "pickle", "loads", "importlib",
    "import_module", "state", "_modules", "_parameters", "class", "class_name", "type", "G", "D", "G_ema", "",
    "x" * 9999, "_codecs", "encode", "rot13", "storage", "module", "cuda", "${a}", "../../etc/passwd", "\ud800",
]  # fmt: skip
HOSTILE = [
    b"cos\nsystem\n(X\x05\x00\x00\x00falsetR", b"cbuiltins\neval\n(X\x01\x00\x00\x001tR", b"ctorch\nload\n(K\x01tR",
    b"cbuiltins\nset\n(](K\x01K\x02etR", b"(K\x01K\x02K\x03l", b"I99999999999999999999\n", b"L" + b"9" * 5000 + b"L\n",
    b"\x8b\xff\xff\xff\x7f", b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", b"r\xff\xff\xff\xff", b"Q", b"Pabc\n", b"b", b"R",
    b"\x81", b"\x92", b"\x82\x01", b"i", b"cos\nsystem\n", b"S'a'\n", b"Vabc\\u0041\n", b"F1e999\n", b"\x8f", b"\x90",
    b")" + b"\x85" * 3000, b"]" * 3000, b"(" * 3000, b"0" * 10, b"1", b"2" * 1000, b"N" * 10, b"\x97", b"\x98",
]  # fmt: skip
"""Pieces of programs: what would run something, and what would hurt a careless reader."""

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 3, 2**31, 2**63, -(2**900), 2**5000, 0.5, 1e308, float("nan"), float("inf"), "", "a",
    "x" * 5000, b"", b"\0" * 5000, (), (1,), [], [[]], {}, {"a": {}}, {1: 2}, 1 + 2j,
]  # fmt: skip
"""What may stand where a number, a text or nothing did."""
PUSHED = ("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "BINFLOAT", "SHORT_BINUNICODE", "EMPTY_DICT")


def spoilt(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        content = _spoilt_once(content, chance)
    return content


def _spoilt_once(content: bytes, chance: random.Random) -> bytes:
    start = content.find(b"data.pkl") if content.startswith(b"PK") else len(reader.MAGIC) if _is_stream(content) else 0
    start = max(start, 0) + (len(b"data.pkl") if content.startswith(b"PK") else 0)
    found = _instructions(content, start) if chance.random() < 0.9 else []
    if not found:
        return _bytes_spoilt(content, chance)
    at = chance.randrange(len(found))
    _, _, begin, end = found[at]
    match chance.randrange(11):
        case 0:  # gone, or twice
            return content[:begin] + content[begin:end] * chance.choice((0, 2)) + content[end:]
        case 1:  # in the place of another
            other = chance.choice(found)
            return content[:begin] + content[other[2] : other[3]] + content[end:]
        case 2:  # another instruction with its argument
            return content[:begin] + bytes([chance.choice(_CODES)]) + content[begin + 1 :]
        case 3:
            return content[:begin] + chance.choice(HOSTILE) + content[chance.choice((begin, end)) :]
        case 4:
            return content[:begin]
        case 5:  # a stream of a storage, or a text, by itself
            long = [one for one in found if isinstance(one[1], bytes) and len(one[1]) > 100]
            return _inner_spoilt(content, *chance.choice(long), chance) if long else content[: chance.randrange(end)]
        case 6:
            texts = [one for one in found if isinstance(one[1], str) and one[0] != "GLOBAL"]
            return _renamed(content, *chance.choice(texts or [found[at]]), chance)
        case 7:  # sizes, offsets, places of the memory
            numbers = [one for one in found if type(one[1]) is int and one[3] - one[2] in (2, 3, 5, 9)]
            _, _, begin, end = chance.choice(numbers or [found[at]])
            value = chance.choice((0, 1, 2, 255, 2**31, 2**32 - 1, chance.randrange(2**16)))
            return (
                content[: begin + 1]
                + (value % 256 ** (end - begin - 1)).to_bytes(end - begin - 1, "little")
                + content[end:]
            )
        case 8:
            return _bytes_spoilt(content, chance)
        case _:
            _, _, begin, end = chance.choice([one for one in found if one[0] in PUSHED] or [found[at]])
            return content[:begin] + pickle.dumps(chance.choice(VALUES), 3)[2:-1] + content[end:]


_CODES = [ord(opcode.code) for opcode in pickletools.opcodes]


def _is_stream(content: bytes) -> bool:
    return content.startswith(reader.MAGIC)


def _instructions(content: bytes, start: int) -> list[tuple[str, Any, int, int]]:
    """(name, argument, begin, end) of as many as can be read from `start` on."""
    start = content.find(b"\x80", start)
    found: list[tuple[str, Any, int, int]] = []
    stream = io.BytesIO(content)
    stream.seek(max(start, 0))
    with contextlib.suppress(Exception):
        for opcode, argument, position in pickletools.genops(stream):
            if position is not None:
                found.append((opcode.name, argument, position, stream.tell()))
    return found


def _inner_spoilt(content: bytes, name: str, argument: bytes, begin: int, end: int, chance: random.Random) -> bytes:
    """A long value in the pickle spoilt as a pickle, or a stream of them; its length is set right, mostly."""
    inner = argument
    at = chance.choice([i for i in range(len(inner)) if inner.startswith(b"\x80\x02", i)] or [0])
    found = _instructions(inner, at)
    if found and chance.random() < 0.7:
        _, _, first, last = chance.choice(found)
        inner = inner[:first] + chance.choice((*HOSTILE, b"", bytes([chance.choice(_CODES)]))) + inner[last:]
    else:
        inner = _bytes_spoilt(inner, chance)
    length = len(inner) if chance.random() < 0.9 else chance.randrange(2**32)
    return content[:begin] + b"B" + (length % 2**32).to_bytes(4, "little") + inner + content[end:]


def _renamed(content: bytes, name: str, argument: Any, begin: int, end: int, chance: random.Random) -> bytes:
    text = chance.choice(NAMES).encode("utf-8", "surrogatepass")
    return content[:begin] + b"X" + len(text).to_bytes(4, "little") + text + content[end:]


def _bytes_spoilt(content: bytes, chance: random.Random) -> bytes:
    if not content:
        return content
    at, length = chance.randrange(len(content)), chance.choice((1, 2, 4, 8, 64, 400))
    piece = chance.choice(
        (b"", bytes(length), b"\xff" * length, chance.randbytes(length), content[at : at + length] * 2)
    )
    return content[:at] + piece + content[at + length :]
