"""`inrvid doctor`: what is installed, what is missing, and the command that fixes it."""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
from collections.abc import Callable

import typer

from ..packages import TRITON

PACKAGES = ("torch", "accelerate", "av", "safetensors", "huggingface_hub", "numpy", "pydantic")
OPTIONAL = {
    "triton": f"fused GPU kernels: {TRITON}",
    "timm": "perceptual networks: pip install 'inrvid[perceptual]'",
    "gradio": "inrvid explore: pip install 'inrvid[explore]'",
    "open_clip_torch": "editing by a text: pip install 'inrvid[edit]'",
    "xformers": "memory-efficient attention on a GPU: pip install xformers",
}
DECODERS = ("h264", "hevc", "vp9", "av1", "mpeg4", "gif", "mjpeg")
ENCODERS = ("libx264",)

PAIRS_A_SECOND = {"h264 files": 75, "a zip of JPEG frames": 880}
"""Pairs of 128×128 that a loader worker reads in a second on a Zen 4 core; files are 320×240, a key frame in 250."""

WANTED_PAIRS = 500
"""Pairs that one fast GPU may train on in a second."""


def doctor(as_json: bool = typer.Option(False, "--json", help="Print JSON instead of text.")) -> None:
    """Versions, devices, codecs; what is missing and how to fix it."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    report = examine()
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    console = Console()
    for title, rows in report.items():
        table = Table(title=title, title_justify="left", box=None, show_header=False)
        for name, value in rows.items():
            table.add_row(escape(name), escape(value))
        console.print(table)
        console.print()


def examine() -> dict[str, dict[str, str]]:
    """The report by heading. Never raises: what cannot be found out is said."""
    sections: dict[str, Callable[[], dict[str, str]]] = {
        "versions": _versions,
        "optional": lambda: {name: _version(name, remedy) for name, remedy in OPTIONAL.items()},
        "devices": _devices,
        "codecs": _codecs,
        "advice": _advice,
        "plugins": _plugins,
    }
    return {title: _found(section) for title, section in sections.items()}


def _found(section: Callable[[], dict[str, str]]) -> dict[str, str]:
    try:
        return section()
    except Exception as error:  # whatever a broken package raises: that it is broken is what is to be told
        reason = " ".join(str(error).split()) or "no reason given"
        return {"cannot be found out": f"{type(error).__name__}: {reason}"}


def _versions() -> dict[str, str]:
    from .. import __version__

    own = {"inrvid": __version__, "python": platform.python_version(), "system": platform.platform()}
    return own | {name: _version(name, f"needed: pip install {name}") for name in PACKAGES}


def _version(name: str, remedy: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"not installed ({remedy})"


def _devices() -> dict[str, str]:
    import os

    import torch

    from ..data.parallel import cpus

    ours, threads = cpus(), torch.get_num_threads()
    mine = "" if ours == os.cpu_count() else f", {_counted(ours, 'core')} for this process"
    devices = {"cpu": f"{_counted(os.cpu_count() or 1, 'core')}{mine}, {_counted(threads, 'thread')}"}
    for i in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(i)
        devices[f"cuda:{i}"] = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    if torch.cuda.device_count() == 0:
        built, on_mac = torch.version.cuda or torch.version.hip, torch.backends.mps.is_available()
        cpu_build = "this PyTorch is a CPU build: https://pytorch.org/get-started/locally"
        apple = {"mps": "not used: it has no float64, in which times and phases are computed"}
        devices |= apple if on_mac else {"cuda": "none visible" if built else cpu_build}
    return devices


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _advice() -> dict[str, str]:
    """What is worth knowing of this machine before a long training."""
    import os

    import torch

    from ..data.parallel import cpus

    needed = ", ".join(f"{math.ceil(WANTED_PAIRS / rate)} of {what}" for what, rate in PAIRS_A_SECOND.items())
    advice = {
        "data": f"a GPU may train on {WANTED_PAIRS} pairs a second: loader workers for that: {needed} (inrvid data "
        f"convert makes one); here {_counted(cpus(), 'core')} can be used"
    }
    shares_cores = torch.cuda.device_count() == 0 and torch.get_num_threads() > 1
    if shares_cores and os.environ.get("OMP_WAIT_POLICY", "").lower() != "passive":
        advice["threads"] = (
            "beside other work, threads that wait for each other can cost far more than they bring: OMP_NUM_THREADS=1, "
            "or OMP_WAIT_POLICY=passive, which halves the speed of small models on a quiet machine"
        )
    return advice


def _codecs() -> dict[str, str]:
    import av

    found = {}
    for mode, names in (("r", DECODERS), ("w", ENCODERS)):
        for name in names:
            try:
                av.Codec(name, mode)
                found[name] = "yes"
            except (av.codec.codec.UnknownCodecError, ValueError):
                found[name] = "missing: pip install --force-reinstall --only-binary=av av"
    return found


def _plugins() -> dict[str, str]:
    from ..errors import InrvidError
    from ..registry import REGISTRIES, registry

    found = {}
    for kind in REGISTRIES:
        kinds = registry(kind)
        for name in kinds.names():
            try:
                entry = kinds.entry(name)
                if entry.is_plugin:
                    kinds.component(name)
                    found[f"{kind}.{name}"] = f"{entry.package} {entry.version}"
            except InrvidError as error:
                found[f"{kind}.{name}"] = str(error)
    return found or {"": "none installed"}
