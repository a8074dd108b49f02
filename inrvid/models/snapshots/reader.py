"""A file of networks that were pickled whole → its value: containers, numbers, text, tensors, and objects as records.

Three kinds of files are read: a pickle (each storage in it is itself a stream of PyTorch's), and both formats of
`torch.save`: a stream of pickles followed by the storages, and a zip of them. The first bytes of a file tell its kind.

Whatever the file names stays a name: nothing is imported, called, or instantiated. A class becomes a `Record` if it is
one that snapshots hold (`_CLASSES`), and is refused by name if not; so is TorchScript, which is a program.
Time and memory are bounded by the size of the file, and by `Budget`.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from ...weights import WeightsError
from ..machine import Budget, Machine, Name, damage, mapping
from ..pickles import HELD, MAKERS
from .records import Record
from .storage import Numbers, Storage, rebuilt, storage_type

LIMIT = 4 * 2**30
"""Bytes of a file, at most."""
INSTRUCTIONS = 1_000_000
"""In all pickles of a file, at most. Snapshots have some 250,000, whatever the size of their networks."""

LONG = 4096
"""Values of at least this many bytes are views of the file, not copies."""

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The beginning of a stream of `torch.save`: a pickled number."""

_PERSISTENT = re.compile(r"(?:\w+\.)*torch_utils\.persistence\._reconstruct_persistent_obj")
"""How the releases store an object: a mapping of its class's name, its class's source text, and its state."""

_CLASSES = re.compile(
    r"torch\.nn\.modules\.\w+\.\w+|torch\.distributions\.\w+\.\w+|omegaconf\.\w+\.\w+|pathlib\.\w*Path"
    r"|(?:src\.)?(?:training|torch_utils|dnnlib)(?:\.\w+)+"  # of the releases
)
_HELD = re.compile(
    r"typing\.\w+|(?:builtins|__builtin__)\.(?:int|float|str|bool|bytes|dict|list|tuple|object|NoneType)"
    r"|torch\.(?:storage\.)?\w+Storage|torch\.(?:float|bfloat|double|half|int|uint|long|short|bool)\w*"
)


class Views:
    """A stream over memory for `pickletools`, which makes values of what it reads; long ones are not copied."""

    def __init__(self, view: memoryview):
        self.view, self.at = view, 0

    def read(self, count: int) -> bytes | memoryview:
        piece = self.view[self.at : self.at + count]
        self.at += len(piece)
        return piece if len(piece) >= LONG else bytes(piece)

    def readline(self) -> bytes:
        """Up to the end of a line, or `LONG` bytes: no name is longer."""
        line = io.BytesIO(self.view[self.at : self.at + LONG]).readline()
        self.at += len(line)
        return line

    def tell(self) -> int:
        return self.at


class SnapshotMachine(Machine):
    """A machine that also makes tensors, and records of objects.

    Args:
        fetched: gives the value of a reference out of the pickle (a persistent id); None: there may be no such ids.
    """

    READS = "networks, their weights and settings"

    def __init__(self, budget: Budget, fetched: Callable[[Any], Any] | None = None):
        super().__init__(self._makers(), HELD, budget)
        self.fetched = fetched

    def _makers(self) -> dict[str, Callable[..., Any]]:
        return {
            **MAKERS,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
            "torch._utils._rebuild_parameter_with_state": lambda tensor, *_: tensor,
            "torch.storage._load_from_bytes": self._storage,
            "torch.Size": tuple,
            "torch.device": lambda kind, *_: kind,
            "collections.defaultdict": lambda _=None: {},
        }

    def run(self, instruction: str, argument: Any) -> None:
        self.budget.take(instructions=1)
        super().run(instruction, argument)

    def named(self, module: str, name: str) -> Name:
        text = f"{module}.{name}"
        if any(pattern.fullmatch(text) for pattern in (_PERSISTENT, _CLASSES, _HELD)):
            return Name(text)
        return super().named(module, name)

    def made(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if name in self.makers:
            return super().made(name, arguments)
        if _PERSISTENT.fullmatch(name):
            return _object(*arguments)
        return Record(name, arguments) if _CLASSES.fullmatch(name) else super().made(name, arguments)

    def new(self) -> None:
        name, arguments = self.take(2)
        if not isinstance(name, Name) or not _CLASSES.fullmatch(name.text) or type(arguments) is not tuple:
            raise ValueError("a new object of no class")
        self.push(Record(name.text, arguments))

    def build(self) -> None:
        target = self.stack[-2]
        if not isinstance(target, Record):
            return super().build()
        (target.state,) = self.take(1)
        return None

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        (target.elements if isinstance(target, Record) else self.topmost(list)).extend(values)

    def fill(self, values: list[Any]) -> None:
        target = self.stack[-1]
        (target.items if isinstance(target, Record) else self.topmost(dict)).update(mapping(values))

    def fetch(self) -> None:
        if self.fetched is None:
            return super().fetch()
        (reference,) = self.take(1)
        return self.push(self.fetched(reference))

    def _tensor(self, *arguments: Any) -> Numbers:
        numbers = rebuilt(*arguments)
        self.budget.take(tensors=numbers.nbytes)
        return numbers

    def _storage(self, stream: Any) -> Storage:
        value = read_stream(memoryview(stream), _StorageMachine(self.budget))
        if not isinstance(value, Storage):
            raise WeightsError("damaged: a storage in it is none")
        return value


class _StorageMachine(SnapshotMachine):
    """For the stream of one storage, which contains no objects and no streams."""

    def _makers(self) -> dict[str, Callable[..., Any]]:
        return {}


def _object(meta: Any) -> Record:
    """An object of a release, from the mapping that it is stored as. The source text of its class is not looked at."""
    if not isinstance(meta, dict) or meta.get("type") != "class" or not isinstance(meta.get("class_name"), str):
        raise WeightsError("damaged: an object without the name of its class")
    return Record(meta["class_name"], state=meta.get("state"))


def read_snapshot(content: bytes) -> Any:
    """The value of a file. Tensors are `Numbers`, which are views of `content`; objects are `Record`s.

    Raises:
        WeightsError: it holds anything else (the message names it), is damaged, or too large.
    """
    if len(content) > LIMIT:
        raise WeightsError(f"too large: {len(content)} bytes, where at most {LIMIT} are expected")
    view = memoryview(content)
    budget = Budget.of(content, instructions=INSTRUCTIONS, tensors=len(content))
    with damage("a snapshot"):
        if content.startswith(b"PK\x03\x04"):
            return _read_zip(content, budget)
        if content.startswith(MAGIC):
            return read_stream(view, SnapshotMachine(budget))
        return SnapshotMachine(budget).read(Views(view))


def read_stream(view: memoryview, machine: SnapshotMachine) -> Any:
    """What `torch.save` wrote as a stream: a number, a version, the machine's traits, the value, and the storages."""
    stream, storages = Views(view), dict[str, Storage]()
    if bytes(view[: len(MAGIC)]) != MAGIC:
        raise WeightsError("damaged: a storage in it is no stream of PyTorch's")
    stream.at = len(MAGIC)
    version, traits = (_StorageMachine(machine.budget).read(stream) for _ in range(2))
    if version != 1001 or not isinstance(traits, dict) or traits.get("little_endian") is not True:
        raise WeightsError("of another version of PyTorch's format, or of a machine with another order of bytes")
    machine.fetched = lambda reference: _referred(reference, storages)
    value = machine.read(stream)
    for key in _StorageMachine(machine.budget).read(stream):
        (count,) = struct.unpack("<q", bytes(stream.read(8)).ljust(8, b"\0"))
        storage = storages.pop(key)
        if count != storage.count:
            raise WeightsError(f"damaged: a storage of {count} numbers, where {storage.count} were said to come")
        storage.fill(memoryview(stream.read(count * storage.dtype.itemsize)))
    if storages:
        raise WeightsError("damaged: storages are missing at its end")
    return value


def _referred(reference: Any, storages: dict[str, Storage]) -> Storage:
    """The storage that ('storage', its type, its key, device, number of elements, …) refers to, one for each key."""
    if type(reference) is not tuple or len(reference) not in (5, 6) or reference[0] != "storage":
        raise WeightsError("it refers to something that is no storage of numbers")
    _, kind, key, _, count, *view = reference
    if not isinstance(kind, Name) or not isinstance(key, str) or type(count) is not int or any(view):
        raise ValueError("a storage without a type, a key or a number")
    storage = storages.setdefault(key, Storage(storage_type(kind.text), count))
    if storage.count != count or storage.dtype != storage_type(kind.text):
        raise ValueError("one storage of two sizes or types")
    return storage


def _read_zip(content: bytes, budget: Budget) -> Any:
    members = dict(_members(content))
    top = next((name.removesuffix("data.pkl") for name in members if name.endswith("data.pkl")), None)
    if top is None:
        raise WeightsError("a zip that torch.save did not write: it has no data.pkl")
    if bytes(members.get(f"{top}byteorder", b"little")) != b"little":
        raise WeightsError("of a machine with another order of bytes")
    storages: dict[str, Storage] = {}
    value = SnapshotMachine(budget, lambda reference: _referred(reference, storages)).read(
        Views(members[f"{top}data.pkl"])
    )
    for key, storage in storages.items():
        storage.fill(members[f"{top}data/{key}"])
    return value


def _members(content: bytes) -> Iterator[tuple[str, memoryview]]:
    """The members of a zip, by name, as views of it. Raises WeightsError if they are compressed, or larger than the
    zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise WeightsError(f"not a zip, or damaged: {error}") from None
    if any(part in ("constants.pkl", "code") for entry in entries for part in entry.filename.split("/")):
        raise WeightsError("TorchScript, which is a program, not a snapshot: no program of a file is run")
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise WeightsError(f"{entry.filename[:80]!r} in it is compressed or encrypted, which torch.save never does")
    view = memoryview(content)
    if sum(entry.file_size for entry in entries) > len(view):
        raise WeightsError("damaged: its members are larger than itself")
    for entry in entries:
        start = entry.header_offset
        lengths = struct.unpack("<HH", bytes(view[start + 26 : start + 30]).ljust(4, b"\0"))
        start += 30 + sum(lengths)
        yield entry.filename, view[start : start + entry.file_size]
