"""Snapshots as the releases pickle them, made of what a test says: objects of classes that need not exist."""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

PERSISTENCE = "torch_utils.persistence._reconstruct_persistent_obj"


@dataclass
class Made:
    """An object of a class that is imported by `name`."""

    name: str
    state: Any
    arguments: tuple[Any, ...] = ()


@dataclass
class Called:
    """What a call of a function gives."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass
class Named:
    """A class or function itself."""

    name: str


@dataclass
class Network:
    """A network's weights, by their names, and the arguments that it was made of."""

    class_name: str
    weights: Mapping[str, Tensor]
    settings: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """By place: `synthesis.b4.mbstd.group_size`."""
    source: str = ""
    """Of its classes."""

    def stored(self) -> Called:
        return self._module(self.class_name, self.weights, self.attributes, self.settings)

    def _module(self, name: str, weights: Mapping[str, Any], attributes: Mapping[str, Any], settings: Any) -> Called:
        own = {key: value for key, value in weights.items() if "." not in key}
        inner = dict.fromkeys(key.partition(".")[0] for key in [*weights, *attributes] if "." in key)
        state = {
            "training": False,
            "_parameters": {k: Called("torch._utils._rebuild_parameter", (v, False, {})) for k, v in own.items()},
            "_buffers": {},
            "_non_persistent_buffers_set": set(),
            "_modules": {
                key: self._module(f"Module{key}", _below(key, weights), _below(key, attributes), {}) for key in inner
            },
            **{key: value for key, value in attributes.items() if "." not in key},
            "_init_args": (),
            "_init_kwargs": dict(settings),
        }
        meta = {"type": "class", "version": 6, "module_src": self.source, "class_name": name, "state": state}
        return Called(PERSISTENCE, (meta,))


def _below(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(f"{key}."): value for name, value in values.items() if name.startswith(f"{key}.")}


def node(value: Any, parent: Made | None = None) -> Any:
    """Settings as OmegaConf's containers."""
    if isinstance(value, Mapping):
        made = Made("omegaconf.dictconfig.DictConfig", {"_metadata": _metadata(), "_parent": parent, "_content": {}})
        made.state["_content"] |= {key: node(inner, made) for key, inner in value.items()}
        return made
    if isinstance(value, list):
        return Made("omegaconf.listconfig.ListConfig", {"_content": [node(inner) for inner in value]})
    return Made("omegaconf.nodes.AnyNode", {"_metadata": _metadata(), "_parent": parent, "_val": value})


def _metadata() -> Made:
    cache = Called("collections.defaultdict", (Named("builtins.dict"),))
    return Made("omegaconf.base.Metadata", {"ref_type": Named("typing.Any"), "resolver_cache": cache})


class Writer:
    """A pickle of protocol 3, in which only objects of classes are remembered (they may refer to themselves)."""

    def __init__(self) -> None:
        self.out = bytearray(b"\x80\x03")
        self.places: dict[int, int] = {}

    def write(self, value: Any) -> None:
        if id(value) in self.places:
            self.out += b"j" + self.places[id(value)].to_bytes(4, "little")
        elif isinstance(value, Network):
            self.write(value.stored())
        elif isinstance(value, Made):
            self._made(value)
        elif isinstance(value, Called):
            self.write(Named(value.name))
            self.write(tuple(value.arguments))
            self.out += b"R"
        elif isinstance(value, Named):
            module, _, name = value.name.rpartition(".")
            self.out += f"c{module}\n{name}\n".encode()
        elif isinstance(value, Tensor):
            self._tensor(value)
        elif isinstance(value, dict):
            self._all(b"}(", [part for item in value.items() for part in item], b"u")
        elif isinstance(value, list):
            self._all(b"](", value, b"e")
        elif isinstance(value, tuple):
            self._all(b"(", value, b"t")
        else:
            self.out += pickle.dumps(value, 3)[2:-1]

    def _all(self, before: bytes, values: Any, after: bytes) -> None:
        self.out += before
        for value in values:
            self.write(value)
        self.out += after

    def _made(self, value: Made) -> None:
        self.write(Named(value.name))
        self.write(value.arguments)
        self.places[id(value)] = 1000 + len(self.places)
        self.out += b"\x81r" + self.places[id(value)].to_bytes(4, "little")
        self.write(value.state)
        self.out += b"b"

    def _tensor(self, value: Tensor) -> None:
        stream = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that storages with types are of the past, as the releases are
            torch.save(value.storage(), stream, _use_new_zipfile_serialization=False)
        storage = Called("torch.storage._load_from_bytes", (stream.getvalue(),))
        shape, stride = tuple(value.shape), value.stride()
        rest = (value.storage_offset(), shape, stride, False, Called("collections.OrderedDict"))
        self.write(Called("torch._utils._rebuild_tensor_v2", (storage, *rest)))


def pickled(value: Any) -> bytes:
    writer = Writer()
    writer.write(value)
    return bytes(writer.out + b".")
