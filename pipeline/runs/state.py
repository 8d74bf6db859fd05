"""What a run leaves in its folder while it goes: its state, its metrics, and the wishes it is told."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

__all__ = [
    "RunState",
    "Status",
    "add_metrics",
    "cut_metrics",
    "metrics_lines",
    "read_control",
    "read_killed",
    "read_state",
    "replace_text",
    "write_control",
    "write_killed",
    "write_state",
]

Status = Literal["starting", "running", "stopping", "paused", "done", "stopped", "failed", "lost"]


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


def replace_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new, never half of one."""
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(scratch, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise


def read_state(run_dir: Path) -> RunState | None:
    """The state in the folder, or None where there is none (yet)."""
    try:
        return RunState.model_validate_json((run_dir / "state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None


def write_state(run_dir: Path, **changes: Any) -> RunState:
    """Change some fields of the state on disk and return the whole."""
    state = (read_state(run_dir) or RunState()).model_copy(update={**changes, "updated_at": time.time()})
    replace_text(run_dir / "state.json", state.model_dump_json(indent=1))
    return state


def add_metrics(run_dir: Path, line: Mapping[str, Any]) -> None:
    """Append one line to metrics.jsonl."""
    with (run_dir / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def cut_metrics(run_dir: Path, last_step: int) -> None:
    """Drop the lines after `last_step` (and a line cut short by a crash): those steps will be taken again."""
    if (run_dir / "metrics.jsonl").exists():
        kept = [json.dumps(line) + "\n" for line in metrics_lines(run_dir) if line["step"] <= last_step]
        replace_text(run_dir / "metrics.jsonl", "".join(kept))


def metrics_lines(run_dir: Path) -> list[dict[str, Any]]:
    """The whole lines of metrics.jsonl, in order."""
    lines = []
    with contextlib.suppress(OSError):
        for line in (run_dir / "metrics.jsonl").read_text("utf-8").splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
    return lines


def read_control(run_dir: Path) -> str:
    """What the run was last asked: "stop", "pause" or nothing."""
    try:
        return (run_dir / "control").read_text("utf-8").strip()
    except OSError:
        return ""


def write_control(run_dir: Path, wish: Literal["stop", "pause", ""]) -> None:
    """Ask a run for something; it looks after every step."""
    replace_text(run_dir / "control", wish)


def read_killed(run_dir: Path) -> str:
    """What is known of a worker that was killed: "memory" (there was too little), "killed", or nothing."""
    try:
        return (run_dir / "killed").read_text("utf-8")
    except OSError:
        return ""


def write_killed(run_dir: Path, what: Literal["memory", "killed", ""]) -> None:
    """Keep why the worker is gone, for whoever asks and for the worker that goes on; "" when one has begun."""
    with contextlib.suppress(OSError):  # the run may have been deleted with its worker
        replace_text(run_dir / "killed", what) if what else (run_dir / "killed").unlink()
