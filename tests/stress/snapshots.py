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
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from inrvid.models.machine import damage
from inrvid.models.official.describing import Choices
from inrvid.models.official.layouts import layout_of
from inrvid.models.official.loading import network_of
from inrvid.models.snapshots import reader
from inrvid.models.snapshots.networks import snapshot
from inrvid.weights import WeightsError

from ..golden_files import GOLDEN, below, golden
from .spoilt_pickles import spoilt

SECONDS, WAIT, BYTES = 5, 60, 2**30
"""Of the processor, of the clock (others may be using the machine), and of memory."""
FORBIDDEN = (
    "import", "open", "exec", "compile", "marshal.", "pickle.find_class", "os.", "subprocess.", "shutil.", "socket.",
    "ctypes.", "code.__new__", "tempfile.", "urllib.", "http.", "glob.", "sys.set", "webbrowser.", "mmap.",
)  # fmt: skip
"""Events of Python's audit hooks, by how they begin."""


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
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, WAIT)
    watch.on = True
    try:
        READ(content)
    except WeightsError as error:
        return "refused", str(error)
    except Exception as error:
        return "traceback", f"{type(error).__name__}: {error}"
    finally:
        watch.on = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "ok", ""


def _peak() -> int:
    """Bytes. `getrusage` has that of the process that started this one, if it was larger: of a long run of tests."""
    with contextlib.suppress(OSError, StopIteration), Path("/proc/self/status").open() as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _expired(*_: Any) -> None:
    raise Hang


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="trials of all specimens together")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for kind in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(kind, _expired)
    watch, made, wrong = Watch(), specimens(), 0
    for content in made.values():
        read(content)
    with contextlib.suppress(WeightsError):
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
