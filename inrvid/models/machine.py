"""The virtual machine that pickles are programs for, without what makes it dangerous.

A pickle is a program for a small stack machine; Python's own reader lets it call any function that can be imported.
This machine makes numbers, strings and containers. A name in the program stays a name: it is looked up in a table of
the library's functions (`makers`), or only held (`held`), and refused if it is in neither. Nothing is ever imported or
called by that name. The format is that of the standard library's `pickletools`, which also splits a pickle into
instructions.

Shared values stay shared, and nothing is allocated because of a count that the file merely claims.
"""

from __future__ import annotations

import contextlib
import pickletools
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..weights import WeightsError

_MARK = object()

BITS = 1000
"""Most bits of a number: fewer than the largest float has, and few enough to be printed."""


class Name:
    """A global that the file names: to be compared and looked up, never resolved."""

    def __init__(self, text: str):
        self.text = text


class Unfinished:
    """A value that gets its state from a later instruction, BUILD, and the places where it is remembered until then."""

    def __init__(self, finish: Callable[[Any], Any]):
        self.finish = finish
        self.places: list[int] = []


@dataclass
class Budget:
    """Limits on what a file may make, shared by all machines that read it.

    Several calls may be given the same arguments: without a bound, a few bytes could copy megabytes a thousand times.
    """

    given: int
    """Bytes that calls are given as arguments: all that they newly make is made of these."""
    instructions: int = 2**40
    tensors: int = 0
    """Bytes of tensors. A file has no more than its own size, unless storages are shared, or strides are 0."""

    def take(self, given: int = 0, instructions: int = 0, tensors: int = 0) -> None:
        """Spend some of the budget. Raises WeightsError if it is used up."""
        self.given -= given
        self.instructions -= instructions
        self.tensors -= tensors
        if self.instructions < 0:
            raise WeightsError("too large: it has more instructions than pickles of its kind")
        if self.given < 0 or self.tensors < 0:
            raise WeightsError("damaged: what it makes is larger than itself")

    @classmethod
    def of(cls, content: bytes, **limits: int) -> Budget:
        """Twice the file, as text of old protocols is encoded before numbers are made of it, and small things."""
        return cls(2 * len(content) + 2**26, **limits)


class Machine:
    """The stack and the memory of a pickle's program.

    Args:
        makers: names that a file may call → what is called in their place.
        held: names that a file may hold but not call.
    """

    READS: ClassVar[str] = "numbers, text, containers and arrays"

    def __init__(self, makers: Mapping[str, Callable[..., Any]], held: Collection[str], budget: Budget) -> None:
        self.makers, self.held, self.budget = makers, held, budget
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}
        self.stopped = False

    def read(self, content: Any) -> Any:
        """The value of the pickle that `content` (bytes, or a stream of them) holds or begins with. Raises
        WeightsError."""
        with damage("a pickle"):
            for instruction, argument, _ in pickletools.genops(content):
                self.run(instruction.name, argument)
            return self.result()

    def run(self, instruction: str, argument: Any) -> None:
        """Run one instruction, by its name in `pickletools`. Raises WeightsError for those that this machine lacks."""
        if instruction in _PUSHED:
            self.push(_PUSHED[instruction](argument))
        elif instruction in _INSTRUCTIONS:
            _INSTRUCTIONS[instruction](self, argument)
        else:
            raise WeightsError(f"its instruction {instruction} is none of those that make {self.READS}")

    def result(self) -> Any:
        (value,) = self.take(len(self.stack))
        if not self.stopped or isinstance(value, Name):
            raise ValueError("it has no end" if not self.stopped else "it is a name")
        return value

    def take(self, count: int) -> list[Any]:
        """Pop the topmost values; `_MARK` and unfinished arrays are refused: they are no values."""
        if count > len(self.stack):
            raise ValueError("its stack is empty")
        values = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        if any(value is _MARK or isinstance(value, Unfinished) for value in values):
            raise ValueError("an array without numbers, or a mark, in the place of a value")
        return values

    def marked(self) -> list[Any]:
        """Pop the values above the topmost mark, and the mark."""
        above = next((i for i, value in enumerate(reversed(self.stack)) if value is _MARK), None)
        if above is None:
            raise ValueError("its stack has no mark")
        values = self.take(above)
        self.stack.pop()
        return values

    def extend(self, values: list[Any]) -> None:
        self.topmost(list).extend(values)

    def add(self, values: list[Any]) -> None:
        self.topmost(set).update(keys(values))

    def fill(self, values: list[Any]) -> None:
        self.topmost(dict).update(mapping(values))

    def push(self, value: Any) -> None:
        if type(value) is int and value.bit_length() > BITS:
            raise ValueError(f"a number of {value.bit_length()} bits")
        self.stack.append(value)

    def remember(self, place: int) -> None:
        value = self.stack[-1]
        if value is _MARK:
            raise ValueError("a mark in the place of a value")
        if isinstance(value, Unfinished):
            value.places.append(place)
        self.memory[place] = value

    def recall(self, place: int) -> None:
        value = self.memory[place]
        if isinstance(value, Unfinished):
            raise ValueError("an array that is used before it has numbers")
        self.stack.append(value)

    def named(self, module: str, name: str) -> Name:
        """A name that the file gives. Raises WeightsError if this machine does not know it."""
        text = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if text not in self.makers and text not in self.held:
            raise WeightsError(f"it holds {f'{module}.{name}'[:120]!r}: only {self.READS} are read")
        return Name(text)

    def name(self) -> None:
        module, name = self.take(2)
        self.stack.append(self.named(str(module), str(name)))

    def call(self) -> None:
        name, arguments = self.take(2)
        if not isinstance(name, Name) or type(arguments) is not tuple:
            raise WeightsError(f"it calls what is no maker of {self.READS}")
        self.stack.append(self.made(name.text, arguments))

    def made(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """The result of calling a name. Raises WeightsError if it may be held, but not called."""
        if name not in self.makers:
            raise WeightsError(f"it calls what is no maker of {self.READS}")
        self.budget.take(given=_size(arguments))
        return self.makers[name](*arguments)

    def new(self) -> None:
        raise WeightsError(f"it makes an object of a class: only {self.READS} are read")

    def fetch(self) -> None:
        raise WeightsError("it refers to what is not in it (its instruction BINPERSID)")

    def build(self) -> None:
        (state,) = self.take(1)
        target = self.stack.pop()
        if not isinstance(target, Unfinished):
            raise WeightsError(f"it sets the state of a value of type {type(target).__name__}")
        self.budget.take(given=_size(state))
        self.stack.append(target.finish(state))
        for place in target.places:
            self.memory[place] = self.stack[-1]

    def stop(self) -> None:
        self.stopped = True

    def topmost(self, kind: type) -> Any:
        if not self.stack or type(self.stack[-1]) is not kind:
            raise ValueError(f"no {kind.__name__} where one is to be filled")
        return self.stack[-1]


def _size(values: Any) -> int:
    """Approximate size, in bytes, of what a call is given."""
    sized = [value for value in values if hasattr(value, "__len__")] if isinstance(values, tuple) else []
    return sum(len(value) * (1 if isinstance(value, str | bytes | bytearray | memoryview) else 8) for value in sized)


@contextlib.contextmanager
def damage(what: str) -> Iterator[None]:
    """Raises WeightsError, in one line, for whatever goes wrong in reading `what` a file claims to be."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, struct.error) as error:
        raise WeightsError(f"not {what}, or damaged: {' '.join(str(error).split())[:200]}") from None


def keys(values: list[Any]) -> list[Any]:
    """The values, if all may be keys: no tuples of tuples, since hashing a deep enough one overflows the C stack."""
    for value in values:
        for part in value if type(value) is tuple else (value,):
            if not isinstance(part, str | bytes | int | float | complex | None):
                raise ValueError(f"a {type(part).__name__} in a key")
    return values


def mapping(values: list[Any]) -> dict:
    return dict(zip(keys(values[::2]), values[1::2], strict=True))


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
}
"""What an instruction puts on the stack, from its argument alone."""

_INSTRUCTIONS: dict[str, Callable[[Machine, Any], Any]] = {
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
    "DICT": lambda machine, _: machine.push(mapping(machine.marked())),
    "FROZENSET": lambda machine, _: machine.push(frozenset(keys(machine.marked()))),
    "APPEND": lambda machine, _: machine.extend(machine.take(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.marked()),
    "SETITEM": lambda machine, _: machine.fill(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.fill(machine.marked()),
    "ADDITEMS": lambda machine, _: machine.add(machine.marked()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda machine, place: machine.remember(int(place))),
    "MEMOIZE": lambda machine, _: machine.remember(len(machine.memory)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda machine, place: machine.recall(int(place))),
    "GLOBAL": lambda machine, names: machine.push(machine.named(*names.split(" ", 1))),
    "STACK_GLOBAL": lambda machine, _: machine.name(),
    "REDUCE": lambda machine, _: machine.call(),
    "NEWOBJ": lambda machine, _: machine.new(),
    "BINPERSID": lambda machine, _: machine.fetch(),
    "BUILD": lambda machine, _: machine.build(),
}
