"""What this machine is: its GPU or CPU, its memory, what it computes fast."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter

from pipeline.compat import cpu_has_bf16

__all__ = [
    "T4",
    "T4_GIB",
    "Device",
    "Machine",
    "act_as_t4",
    "available_cores",
    "memory_kills",
    "probe_machine",
    "share_cores",
    "this_machine",
]

T4_GIB = 14.56  # what a T4 (Tesla, 16 GB) leaves to a process, in GiB
Device = Literal["cuda", "mps", "cpu"]
# Of the whole computer, and of the container that this process is in (in either of the forms that Linux has).
KILL_COUNTS = tuple(
    map(Path, ("/proc/vmstat", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"))
)
GIB = 2**30


@dataclass(frozen=True)
class Machine:
    """What there is to train on. `memory` and `free` in GiB, of the GPU where there is one, else of this computer.

    `problem`: a sentence when there is a GPU that this installation cannot drive.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    device: Device
    name: str
    memory: float
    free: float
    cores: int
    capability: tuple[int, int] | None = None
    gpus: int = 0
    fast_bf16: bool = False
    problem: str | None = None
    acts_as_t4: bool = False

    def is_like(self, other: "Machine") -> bool:
        """Whether this is of the same kind: what differs at most is how much of its memory is free."""
        near = abs(self.memory - other.memory) < 0.05 * self.memory  # containers and drivers round differently
        kinds = [(m.device, m.name, m.capability, m.gpus, m.fast_bf16, m.acts_as_t4) for m in (self, other)]
        return near and kinds[0] == kinds[1]


# What Colab, Kaggle and the smallest GPU Space give; to plan for one from elsewhere.
T4 = Machine("cuda", "a T4", T4_GIB, T4_GIB, 2, (7, 5), 1)


def this_machine(act_as: Literal["t4"] | None = None) -> Machine:
    """The first GPU that torch can drive, else Apple's, else the CPU."""
    import torch

    cores = available_cores()
    if torch.cuda.is_available():
        own = int(os.environ.get("LOCAL_RANK", "0"))  # of processes that train together each has a GPU of its own
        free, total = torch.cuda.mem_get_info(own)
        capability = torch.cuda.get_device_capability(own)
        name = torch.cuda.get_device_name(own)
        as_t4 = act_as == "t4"
        if as_t4:
            total, name, capability = min(total, int(T4_GIB * GIB)), f"{name}, acting as a T4", (7, 5)
        return Machine(
            "cuda", name, total / GIB, min(free, total) / GIB, cores, capability, torch.cuda.device_count(),
            # torch.cuda.is_bf16_supported() says yes on a T4 too, where bf16 is emulated.
            fast_bf16=capability >= (8, 0), acts_as_t4=as_t4,
        )  # fmt: skip
    memory, free_memory = _computer_memory()
    if torch.backends.mps.is_available():
        return Machine("mps", "Apple GPU", memory, free_memory, cores, gpus=1)
    return Machine(
        "cpu", "CPU", memory, free_memory, cores, fast_bf16=cpu_has_bf16(), problem=_undriven_gpu(), acts_as_t4=False
    )


def probe_machine(act_as: Literal["t4"] | None = None) -> Machine:
    """`this_machine` as another process sees it: one that looks at a GPU takes half a GiB of it until it ends."""
    command = [sys.executable, "-m", "pipeline.machine", *([act_as] if act_as else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parents[2])
    return TypeAdapter(Machine).validate_json(done.stdout.splitlines()[-1])


def share_cores() -> None:
    """Let torch's threads sleep while they wait for each other; before torch is first imported, by whoever runs it.

    By default they spin. A chat beside a training run then waits for cores that only spin: 2 tokens a second, not 20.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def memory_kills(sources: Sequence[Path] = KILL_COUNTS) -> int:
    """How many processes the system has ended for want of memory since it started, as far as it tells (Linux)."""
    counted = 0
    for source in sources:
        with contextlib.suppress(OSError, ValueError):
            counted += sum(int(n) for name, n in map(str.split, source.read_text().splitlines()) if name == "oom_kill")
    return counted


def act_as_t4() -> None:
    """Hold this process to a T4 on a bigger GPU: its memory, and the one fast attention kernel that a T4 has."""
    import torch

    if not torch.cuda.is_available():
        return
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, T4_GIB * GIB / total))
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_cudnn_sdp(False)


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _computer_memory() -> tuple[float, float]:
    """(all, available) in GiB, of this computer or, where that is less, of the container it runs in."""
    import psutil

    memory: Any = psutil.virtual_memory()
    return memory.total / GIB, memory.available / GIB


def _undriven_gpu() -> str | None:
    """A GPU that torch cannot use is told from no GPU at all."""
    import warnings

    import torch

    if not os.path.exists("/proc/driver/nvidia/version"):
        return None
    if torch.version.cuda is None:
        return "There is an NVIDIA GPU here, but this PyTorch was built without CUDA: install the CUDA build to use it."
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.is_available()
    if any("driver" in str(warning.message) for warning in caught):
        return (
            f"There is an NVIDIA GPU here, but its driver is too old for this PyTorch (CUDA {torch.version.cuda}): "
            "update the driver, or install an older PyTorch."
        )
    return "There is an NVIDIA GPU here, but PyTorch cannot use it: is another program or container setting hiding it?"
