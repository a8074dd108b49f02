"""Peak memory of a piece of work, above what the loaded model takes; and what autograd keeps for the backward pass.

On CUDA the allocator's own counters are read around the first call. A CPU process cannot tell so much of itself once
it has worked: freed pages stay with the allocator, and the largest resident size never falls. So the work is done once
in a process of its own: it loads the model, gives back what it has freed, has the kernel forget the peak so far (Linux:
/proc/self/clear_refs), calls once, and reads the peak of its resident size (VmHWM) above the size before the call. The
first call's own needs (code pages, the libraries' buffers) are included. Elsewhere than on Linux nothing is reported.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from inrvid.files import read_text
from inrvid.kernels.operation import written_out

from .harness import Run

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclasses.dataclass(frozen=True)
class Work:
    """A piece of work that another process can find again: see `systems.prepared`."""

    recipe: str
    precision: str
    what: str
    frames: int
    videos: int


def peak_on_cuda(run: Run, device: torch.device) -> int:
    """Bytes that the first call of `run` allocates at most beyond what is allocated now."""
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    run()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


def peak_of_process(work: Work, timeout: float = 900) -> int | None:
    """The same on the CPU, in a process of its own; none where it cannot be measured."""
    command = [sys.executable, "-m", "benchmarks.memory", json.dumps(dataclasses.asdict(work))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:  # out of memory, most likely
        return None
    return json.loads(done.stdout.splitlines()[-1])


def resident_peak(prepare: Callable[[], Run]) -> int | None:
    """Bytes by which this process grows, at the peak, while it calls what `prepare` has made."""
    run = prepare()
    _give_back()
    try:
        FORGET.write_text("5")
        before = _resident("VmRSS")
        run()
        return _resident("VmHWM") - before
    except (OSError, KeyError):
        return None


def saved_bytes(forward: Run, modules: Iterable[nn.Module]) -> int:
    """Bytes that autograd keeps of `forward()` for its backward pass, but for the modules' own tensors."""
    modules = list(modules)
    own = {_key(x) for module in modules for x in (*module.parameters(), *module.buffers())}
    kept: dict[int, int] = {}

    def pack(x: Tensor) -> Tensor:
        if _key(x) not in own:
            kept[_key(x)] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        result = forward()  # alive until all is counted: no storage takes the address of another
    total = sum(kept.values())
    del result
    return total


def intermediate_bytes(forward: Run, modules: Iterable[nn.Module]) -> int:
    """Bytes of all results of all steps of `forward()`, but for the modules' own tensors; views count nothing."""
    count = _Results({_key(x) for module in modules for x in (*module.parameters(), *module.buffers())})
    with written_out(), count:
        forward()
    return sum(x.untyped_storage().nbytes() for x in count.kept.values())


class _Results(TorchDispatchMode):
    """Keeps a tensor of each new storage: none is counted twice, and none takes the address of another."""

    def __init__(self, known: set[int]):
        super().__init__()
        self.known, self.kept = known, dict[int, Tensor]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        for x in results if isinstance(results, (tuple, list)) else [results]:
            if isinstance(x, Tensor) and _key(x) not in self.known:
                self.kept.setdefault(_key(x), x)
        return results


def _key(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()


def _give_back() -> None:
    """Freed memory that the C library keeps would hide as much of what the work needs."""
    with contextlib.suppress(OSError, AttributeError):  # glibc alone
        ctypes.CDLL(None).malloc_trim(0)


def _resident(name: str) -> int:
    """A figure of this process's memory, in bytes."""
    lines = dict(line.split(":", 1) for line in read_text(STATUS).splitlines())
    return int(lines[name].split()[0]) * 1024


def _main() -> None:
    from .systems import prepared

    work = Work(**json.loads(sys.argv[1]))
    print(json.dumps(resident_peak(lambda: prepared(work, torch.device("cpu")))))


if __name__ == "__main__":
    _main()
