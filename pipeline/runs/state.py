"""What a run and those who watch it tell each other through its folder: its state, requests, and why it was killed."""

import contextlib
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pipeline.runs.folder import RunFolder
from pipeline.store import replace_text

__all__ = [
    "LIVE",
    "Request",
    "RunState",
    "Status",
    "read_control",
    "read_killed",
    "read_state",
    "write_control",
    "write_killed",
    "write_state",
]

Status = Literal["starting", "running", "stopping", "paused", "done", "stopped", "failed", "lost"]
Request = Literal["stop", "pause", ""]

LIVE: tuple[Status, ...] = ("starting", "running", "stopping")


class RunState(BaseModel):
    """A run at a moment. Losses in nats a learned token; `seconds` of training, `updated_at` in seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status = "starting"
    pid: int | None = None
    step: int = 0
    total_steps: int = 0
    updated_at: float = 0.0
    seconds: float = 0.0
    message: str = ""
    best_step: int | None = None
    best_validation_loss: float | None = None
    base_validation_loss: float | None = None
    peak_gib: tuple[float, ...] = ()  # memory at the peak, of each process


def read_state(run_dir: Path) -> RunState | None:
    """The state in the folder, or None where there is none (yet)."""
    try:
        return RunState.model_validate_json(RunFolder(run_dir).state.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def write_state(run_dir: Path, **changes: Any) -> RunState:
    """Change some fields of the state on disk and return the whole."""
    state = (read_state(run_dir) or RunState()).model_copy(update={**changes, "updated_at": time.time()})
    replace_text(RunFolder(run_dir).state, state.model_dump_json(indent=1))
    return state


def read_control(run_dir: Path) -> str:
    """What the run was last asked: "stop", "pause" or nothing."""
    try:
        return RunFolder(run_dir).control.read_text("utf-8").strip()
    except OSError:
        return ""


def write_control(run_dir: Path, request: Request) -> None:
    """Ask a run for something; it looks after every step."""
    replace_text(RunFolder(run_dir).control, request)


def read_killed(run_dir: Path) -> str:
    """What is known of a worker that was killed: "memory" (there was too little), "killed", or nothing."""
    try:
        return RunFolder(run_dir).killed.read_text("utf-8")
    except OSError:
        return ""


def write_killed(run_dir: Path, what: Literal["memory", "killed", ""]) -> None:
    """Keep why the worker is gone, for whoever asks and for the worker that goes on; "" when one has begun."""
    path = RunFolder(run_dir).killed
    with contextlib.suppress(OSError):  # the run may have been deleted with its worker
        replace_text(path, what) if what else path.unlink()
