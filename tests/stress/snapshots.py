"""Spoil snapshots, and see that reading them costs a refusal at most, and runs nothing.

    python -m tests.stress.snapshots [--count 10000] [--seed 0]

The specimens are the golden pickles, cut down (one generator, and what its layers keep of their settings left out: the
whole ones have ten times as many instructions, of the same kinds), and the same weights as PyTorch's files. They are
spoilt by their structure: instructions, lengths, places of the memory, names, numbers, the streams of storages in them,
their end. Each is read, described and built as `inrvid convert` does. While that is done, an audit hook sees whatever
Python imports, opens, compiles, executes or starts: there must be nothing. A trial must end within 5 seconds, and the
memory of all may be twice the file and 1 GiB above what the process had before.

It all happens in one process, whose hook cannot be taken out again: tests start it as another.
"""

from __future__ import annotations

import argparse
import contextlib
import copyreg
import io
import pickle
import pickletools
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch

from inrvid.models.machine import damage
from inrvid.models.official.describing import Choices
from inrvid.models.official.layouts import layout_of
from inrvid.models.official.loading import network_of
from inrvid.models.snapshots import reader
from inrvid.models.snapshots.networks import snapshot
from inrvid.weights import Unfit

from ..golden_files import GOLDEN, below, golden

SECONDS, BYTES = 5, 2**30
FORBIDDEN = (
    "import", "open", "exec", "compile", "marshal.", "pickle.find_class", "os.", "subprocess.", "shutil.", "socket.",
    "ctypes.", "code.__new__", "tempfile.", "urllib.", "http.", "glob.", "sys.set", "webbrowser.", "mmap.",
)  # fmt: skip
"""Events of Python's audit hooks, by how they begin."""

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


class StandIn:
    """What a class or function of the releases made, to be pickled again as it was."""

    module: str
    state: Any = None

    def __new__(cls, *arguments: Any) -> StandIn:
        self = object.__new__(cls)
        self.arguments, self.called = arguments, False
        return self

    def __init__(self, *arguments: Any) -> None:
        self.called = True

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __reduce__(self) -> tuple[Any, ...]:
        if self.called:
            return type(self), self.arguments, self.state
        return copyreg.__newobj__, (type(self), *self.arguments), self.state


class Reader(pickle.Unpickler):
    def __init__(self, file: Any):
        super().__init__(file)
        self.made: dict[tuple[str, str], type] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module in ("collections", "builtins"):
            return super().find_class(module, name)
        return self.made.setdefault((module, name), type(name, (StandIn,), {"module": module}))


class Writer(pickle._Pickler):  # type: ignore[name-defined]
    def save_global(self, obj: Any, name: str | None = None) -> None:
        self.save(getattr(obj, "module", None) or obj.__module__)
        self.save(obj.__name__)
        self.write(pickle.STACK_GLOBAL)
        self.memoize(obj)


def cut(name: str, *networks: str) -> bytes:
    """A golden pickle with these networks alone, and the settings of the networks themselves alone."""
    value = Reader(io.BytesIO((GOLDEN / f"{name}.pkl").read_bytes())).load()
    kept = {key: part for key, part in value.items() if not isinstance(part, StandIn) or key in networks}
    for network in networks:
        for module in _modules(kept[network]):
            for key in ("_init_args", "_init_kwargs", "cfg", "res_cfg", "dist1", "dist2"):
                module.pop(key, None)
            for key in [key for key in module if "hook" in key]:
                del module[key]
    out = io.BytesIO()
    Writer(out, 4).dump(kept)
    return out.getvalue()


def _modules(network: Any) -> Iterator[dict[str, Any]]:
    """The states of all modules in one."""
    state = network.arguments[0]["state"] if network.arguments else network.state
    for child in state["_modules"].values():
        if isinstance(child, StandIn):
            inner = child.arguments[0]["state"] if child.arguments else child.state
            yield inner
            yield from _modules(child)


def specimens() -> dict[str, bytes]:
    weights = {"G_ema": below("G.", golden("digan_a"))}
    made = {"digan": cut("digan_a", "G_ema"), "stylegan_v": cut("stylegan_v_b", "G_ema", "D")}
    for name, zipped in (("zip", True), ("stream", False)):
        file = io.BytesIO()
        torch.save(weights, file, _use_new_zipfile_serialization=zipped)
        made[name] = file.getvalue()
    return made


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


class Watch:
    """What Python says that it does, while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event.startswith(FORBIDDEN) and not (arguments and str(arguments[0]).startswith("/proc/")):
            self.seen.append(f"{event} {str(arguments)[:200]}")


class Hang(BaseException):
    pass


def read(content: bytes) -> None:
    """What `inrvid convert` does with the content of a file, but for writing."""
    with damage("a snapshot"):
        found = snapshot(reader.read_snapshot(content))
    networks = found.networks
    layout = layout_of((networks.get("G_ema") or networks["G"]).weights)
    for name, stored in networks.items():
        part = layout.discriminator if name == "D" else layout.generator
        network_of("discriminators" if name == "D" else "generators", stored, part, Choices(), {})


READ = read


def tried(watch: Watch, content: bytes, before: int) -> tuple[str, str]:
    """(what came of it: ok, refused, traceback, forbidden, hang, memory; what is to be told)."""
    watch.seen.clear()
    try:
        outcome, told = _within_seconds(watch, content)
    except Hang:  # it came when all was done
        outcome, told = "hang", ""
    watch.on = False
    if watch.seen:
        return "forbidden", "; ".join(watch.seen)
    if _peak() > before + 2 * len(content) + BYTES:
        return "memory", f"{_peak() >> 20} MiB"
    return outcome, told


def _within_seconds(watch: Watch, content: bytes) -> tuple[str, str]:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    watch.on = True
    try:
        READ(content)
    except Unfit as error:
        return "refused", str(error)
    except Exception as error:
        return "traceback", f"{type(error).__name__}: {error}"
    finally:
        watch.on = False
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "ok", ""


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _expired(*_: Any) -> None:
    raise Hang


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="trials of all specimens together")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    signal.signal(signal.SIGALRM, _expired)
    watch, made, wrong = Watch(), specimens(), 0
    for content in made.values():
        read(content)
    with contextlib.suppress(Unfit):
        read(b"Vabc\n.")  # for this, Python imports a codec
    before, outcomes, start = _peak(), Counter[str](), time.monotonic()
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        chance = random.Random(seed)
        name = chance.choice(list(made))
        outcome, told = tried(watch, spoilt(made[name], chance), before)
        outcomes[outcome] += 1
        if outcome not in ("ok", "refused") or "\n" in told.split("\n  ")[0]:
            wrong += 1
            print(f"{name} {seed}: {outcome}: {told[:400]}", flush=True)
    grown = (_peak() - before) >> 20
    print(f"{dict(outcomes)} in {time.monotonic() - start:.0f} s, {grown} MiB more than before")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
