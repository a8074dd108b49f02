"""Pickles of others, read without running anything that is in them.

A pickle is a program for a small machine with a stack; Python's own reader lets it call any function that can be
imported. `read_pickle` has a machine of its own, whose program makes numbers, strings, containers and NumPy arrays, and
nothing else: no name in the file is ever imported or called. Where the program names one, it is looked up in a table
(`_MAKERS`) of functions of this module; whatever is not there is refused. The format is that of the standard library's
`pickletools`, which is also what takes the file apart into instructions.

Sizes are bounded by the file's: every number of an array must be in it, shared values stay shared, and nothing is
allocated by a count that the file only claims.

`read_state_dict` reads PyTorch's own files with `torch.load(weights_only=True)`, to the same terms.
"""

from __future__ import annotations

import functools
import io
import pickletools
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..weights import Unfit

LIMIT = 2 * 2**30
"""Bytes of a pickle, and of the tensors in a file of PyTorch."""

_NUMBERS = "biufc"
"""Kinds of NumPy's types: booleans, integers, real and complex numbers. Objects are among those that are left out."""

_MARK = object()


def read_pickle(content: bytes) -> Any:
    """The value of a pickle, of any protocol: None, numbers, text, bytes, lists, tuples, dicts, sets, NumPy arrays and
    scalars of numbers. Text of Python 2 is read as Latin-1.

    Raises:
        Unfit: it holds anything else (the message names it), is damaged, or too large.
    """
    if len(content) > LIMIT:
        raise Unfit(f"too large: a pickle of {len(content)} bytes, where at most {LIMIT} are expected")
    machine = _Machine()
    try:
        for instruction, argument, _ in pickletools.genops(content):
            machine.run(instruction.name, argument)
        return machine.result()
    except Unfit:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise Unfit(f"not a pickle, or damaged: {' '.join(str(error).split())[:200]}") from None


def read_state_dict(content: bytes, limit: int | None = None, under: Sequence[str] = ("state_dict",)) -> dict[str, Any]:
    """Tensors by name, on the CPU, of a file that `torch.save` wrote: a state dict, or a mapping with one in it.

    Args:
        limit: bytes of the tensors; default: `LIMIT`.
        under: keys below which a mapping may have it.

    Raises:
        Unfit: it holds anything but tensors by name (TorchScript is code), is damaged, or too large.
    """
    import torch

    limit = LIMIT if limit is None else limit
    if (size := _unpacked(content)) > limit:
        raise Unfit(f"too large: tensors of {size} bytes, where at most {limit} are expected")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TorchScript is no state dict is said below
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # of many types, for whatever a file may hold
        if named := re.search(r"GLOBAL (\S+)", str(error)):
            raise Unfit(f"not a state dict: it holds {named[1]!r}: only tensors by name are read") from None
        reason = str(error).rsplit("WeightsUnpickler error: ")[-1].strip().split("\n")[0]  # before it, advice
        raise Unfit(f"not a state dict, or damaged: {reason[:200]}") from None
    if isinstance(loaded, Mapping):
        loaded = next((loaded[key] for key in under if isinstance(loaded.get(key), Mapping)), loaded)
    if not isinstance(loaded, Mapping) or not loaded:
        raise Unfit(f"not a state dict: it holds {'nothing' if loaded == {} else type(loaded).__name__}")
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise Unfit(f"not a state dict: {str(name)[:80]!r} is of type {type(value).__name__}, not a tensor")
    return dict(loaded)


class _Name:
    """A global that the file names: something to compare and to look up, never to be had."""

    def __init__(self, module: str, name: str):
        self.text = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if self.text not in _MAKERS and self.text not in _TYPES:
            raise Unfit(f"it holds {f'{module}.{name}'[:120]!r}: only numbers, text, containers and arrays are read")


class _Unfinished:
    """A value that a later instruction, BUILD, gives its state; the places where it is remembered until then."""

    def __init__(self, finish: Callable[[Any], Any]):
        self.finish = finish
        self.places: list[int] = []


class _Machine:
    """The stack and the memory of a pickle's program."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}
        self.stopped = False

    def run(self, instruction: str, argument: Any) -> None:
        """One instruction, by its name in `pickletools`. Raises Unfit for those that this machine has not."""
        if instruction in _PUSHED:
            self.stack.append(_PUSHED[instruction](argument))
        elif instruction in _INSTRUCTIONS:
            _INSTRUCTIONS[instruction](self, argument)
        else:
            raise Unfit(f"its instruction {instruction} is none of those that make numbers, text, containers, arrays")

    def result(self) -> Any:
        (value,) = self.take(len(self.stack))
        if not self.stopped or isinstance(value, _Name):
            raise ValueError("it has no end" if not self.stopped else "it is a name")
        return value

    def take(self, count: int) -> list[Any]:
        """The topmost values, off the stack; `_MARK` and unfinished arrays are none."""
        if count > len(self.stack):
            raise ValueError("its stack is empty")
        values = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        if any(value is _MARK or isinstance(value, _Unfinished) for value in values):
            raise ValueError("an array without numbers, or a mark, in the place of a value")
        return values

    def marked(self) -> list[Any]:
        """The values above the topmost mark, off the stack with it."""
        above = next((i for i, value in enumerate(reversed(self.stack)) if value is _MARK), None)
        if above is None:
            raise ValueError("its stack has no mark")
        values = self.take(above)
        self.stack.pop()
        return values

    def extend(self, values: list[Any]) -> None:
        self._topmost(list).extend(values)

    def add(self, values: list[Any]) -> None:
        self._topmost(set).update(_keys(values))

    def fill(self, values: list[Any]) -> None:
        self._topmost(dict).update(_mapping(values))

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def remember(self, place: int) -> None:
        value = self.stack[-1]
        if value is _MARK:
            raise ValueError("a mark in the place of a value")
        if isinstance(value, _Unfinished):
            value.places.append(place)
        self.memory[place] = value

    def recall(self, place: int) -> None:
        value = self.memory[place]
        if isinstance(value, _Unfinished):
            raise ValueError("an array that is used before it has numbers")
        self.stack.append(value)

    def name(self) -> None:
        module, name = self.take(2)
        self.stack.append(_Name(str(module), str(name)))

    def call(self) -> None:
        name, arguments = self.take(2)
        if not isinstance(name, _Name) or type(arguments) is not tuple or name.text not in _MAKERS:
            raise Unfit("it calls what is no function of NumPy's arrays")
        self.stack.append(_MAKERS[name.text](*arguments))

    def build(self) -> None:
        (state,) = self.take(1)
        target = self.stack.pop()
        if not isinstance(target, _Unfinished):
            raise Unfit(f"it sets the state of a value of type {type(target).__name__}")
        self.stack.append(target.finish(state))
        for place in target.places:
            self.memory[place] = self.stack[-1]

    def stop(self) -> None:
        self.stopped = True

    def _topmost(self, kind: type) -> Any:
        if not self.stack or type(self.stack[-1]) is not kind:
            raise ValueError(f"no {kind.__name__} where one is to be filled")
        return self.stack[-1]


def _keys(values: list[Any]) -> list[Any]:
    """What may be a key: no tuples of tuples, since hashing one that is deep enough overflows the C stack."""
    for value in values:
        for part in value if type(value) is tuple else (value,):
            if not isinstance(part, str | bytes | int | float | complex | None):
                raise ValueError(f"a {type(part).__name__} in a key")
    return values


def _mapping(values: list[Any]) -> dict:
    return dict(zip(_keys(values[::2]), values[1::2], strict=True))


_WRITTEN_OUT = [
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
]
"""Instructions whose argument is the value."""

_PUSHED: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_WRITTEN_OUT, lambda argument: argument),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
    "EMPTY_DICT": lambda _: {},
    "EMPTY_SET": lambda _: set(),
    "MARK": lambda _: _MARK,
    "GLOBAL": lambda argument: _Name(*argument.split(" ", 1)),
}
"""What an instruction puts on the stack, from its argument alone."""

_INSTRUCTIONS: dict[str, Callable[[_Machine, Any], Any]] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "STOP": lambda machine, _: machine.stop(),
    "POP": lambda machine, _: machine.stack.pop(),
    "POP_MARK": lambda machine, _: machine.marked(),
    "LIST": lambda machine, _: machine.push(machine.marked()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.marked())),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.take(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.take(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.take(3))),
    "DICT": lambda machine, _: machine.push(_mapping(machine.marked())),
    "FROZENSET": lambda machine, _: machine.push(frozenset(_keys(machine.marked()))),
    "APPEND": lambda machine, _: machine.extend(machine.take(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.marked()),
    "SETITEM": lambda machine, _: machine.fill(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.fill(machine.marked()),
    "ADDITEMS": lambda machine, _: machine.add(machine.marked()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda machine, place: machine.remember(int(place))),
    "MEMOIZE": lambda machine, _: machine.remember(len(machine.memory)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda machine, place: machine.recall(int(place))),
    "STACK_GLOBAL": lambda machine, _: machine.name(),
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
}


def _dtype(spec: Any, *_: Any) -> _Unfinished:
    """A type of numbers by its short name. Raises Unfit: any other, which could hold objects."""
    text = spec.decode("ascii") if isinstance(spec, bytes) else spec
    if not isinstance(text, str) or text[:1] not in [*_NUMBERS] or len(text) > 3:
        raise Unfit(f"it holds an array of {str(text)[:40]!r}, which are no numbers")
    return _Unfinished(functools.partial(_in_order, np.dtype(text)))


def _in_order(dtype: np.dtype, state: Any) -> np.dtype:
    """A type of numbers in the order of bytes that its state says: (version, '<' or '>' or '|', …)."""
    order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
    return dtype.newbyteorder(">") if order == ">" else dtype.newbyteorder("<")


def _array(numbers: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    """An array of its own memory. Raises ValueError: not as many numbers as its shape says."""
    if not isinstance(dtype, np.dtype) or dtype.kind not in _NUMBERS or not isinstance(shape, tuple):
        raise ValueError("no shape, or no type of numbers")
    data = numbers.encode("latin-1") if isinstance(numbers, str) else numbers
    if not isinstance(data, bytes | bytearray) or any(type(side) is not int or side < 0 for side in shape):
        raise ValueError("an array's numbers are not bytes, or its shape no sizes")
    flat = np.frombuffer(data, dtype) if data else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if order == "F" else "C").copy()


def _with_state(state: Any) -> np.ndarray:
    """From an array's state: (version, shape, type, in Fortran's order, numbers)."""
    _, shape, dtype, fortran, numbers = state
    return _array(numbers, dtype, shape, "F" if fortran else "C")


def _scalar(dtype: Any, numbers: Any) -> Any:
    return _array(numbers, dtype, (), "C")[()]


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """Bytes, as protocols before 3 write them. Raises Unfit: by another encoding, which could be any codec."""
    if encoding not in ("latin1", "latin-1"):
        raise Unfit(f"it holds bytes by the codec {str(encoding)[:40]!r}")
    return text.encode("latin-1")


def _ordered(items: Any = ()) -> dict:
    """Of pairs, or of nothing, in which case it is filled later."""
    return _mapping([value for key, item in items for value in (key, item)])


def _unpacked(content: bytes) -> int:
    """Bytes of what a zip says that it holds (PyTorch's files since 1.6 are zips), or of the file itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return len(content)


_MAKERS: dict[str, Callable[..., Any]] = {
    "numpy.core.multiarray._reconstruct": lambda *_: _Unfinished(_with_state),
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _array,
    "numpy.dtype": _dtype,
    "_codecs.encode": _encoded,
    "collections.OrderedDict": _ordered,
    **dict.fromkeys(("builtins.bytes", "__builtin__.bytes"), lambda: b""),
    **dict.fromkeys(("builtins.set", "__builtin__.set"), lambda items: set(_keys(items))),
    **dict.fromkeys(("builtins.frozenset", "__builtin__.frozenset"), lambda items: frozenset(_keys(items))),
    **dict.fromkeys(("builtins.complex", "__builtin__.complex"), lambda real, imaginary: complex(real, imaginary)),
}
"""Names that a file may call, as what is called in their place. (Python 2 calls `builtins` `__builtin__`.)"""

_TYPES = {"numpy.ndarray"}
"""Names that a file may hold and not call."""
