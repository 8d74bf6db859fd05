"""Several processes that train as one run: how many, and `accelerate launch` to start them."""

import os
import subprocess
import sys
from pathlib import Path

from pipeline.machine import memory_kills
from pipeline.planning import TrainingConfig, choose_processes
from pipeline.runs import Held, read_plan, read_state, write_killed, write_state

__all__ = [
    "die_with_launcher",
    "how_many_processes",
    "how_many_together",
    "is_first_process",
    "is_launched",
    "launch",
    "launch_command",
    "leader",
]

LAUNCHER = "CHAT_TWIN_LAUNCHER"  # to the processes that we launch: who holds the run's lock for them


def is_launched() -> bool:
    """Whether this process is one of those that we launched."""
    return LAUNCHER in os.environ


def is_first_process() -> bool:
    """Whether this process writes: of several that train together, one does."""
    return os.environ.get("RANK", "0") == "0"


def how_many_together() -> int:
    """How many processes train together here and now."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def leader() -> int:
    """The process that the others end with: the one that launched them, or this one."""
    return int(os.environ.get(LAUNCHER) or os.getpid())


def how_many_processes(config: TrainingConfig) -> int:
    """As many as asked for, else one for each GPU that is here."""
    if config.processes is not None or config.act_as is not None:
        return choose_processes(config, 1)
    import torch

    return choose_processes(config, torch.cuda.device_count())


def launch_command(run_dir: Path, processes: int) -> list[str]:
    """The command that starts the worker so many times, each knowing its rank.

    `--multi_gpu` on a CPU too: with `--cpu` accelerate starts one process only where there is no MPI.
    """
    return [
        sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(processes),
        "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0",
        "-m", "pipeline.training", str(run_dir),
    ]  # fmt: skip


def launch(run_dir: Path, processes: int, held: Held) -> int:
    """Train with so many processes, until all have ended; returns 0, or 1 where one failed.

    `held`: the locks, which the launcher holds too, should this process be killed. Where a GPU's memory runs out, its
    process leaves a plan with a smaller batch in the run's folder, and all start once more.
    """
    environment = {**os.environ, LAUNCHER: str(os.getpid())}
    kills = memory_kills()
    for _ in range(2):
        before = read_plan(run_dir)
        code = subprocess.run(
            launch_command(run_dir, processes), env=environment, pass_fds=held.descriptors,
            cwd=Path(__file__).parents[2], check=False,
        ).returncode  # fmt: skip
        if code == 0 or read_plan(run_dir) == before:
            break
    state = read_state(run_dir)
    if code and state and state.status in ("starting", "running", "stopping"):
        message = "One of the processes failed: the run's log.txt says more."
        if memory_kills() > kills:
            write_killed(run_dir, "memory")
            message = "This computer's memory ran out, and the system ended a process. Resume, with half the batch."
        write_state(run_dir, status="failed", message=message)
    return 1 if code else 0


def die_with_launcher() -> None:
    """End this process when the one that started it does, however that ends: nothing may train on unheld."""
    if sys.platform == "linux":
        import ctypes
        import signal

        death_signal = 1
        ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)
