"""Whether anything trains in a workspace, and its end: by locks alone, so that no broken file keeps either from it."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path

from pipeline.errors import ChatError
from pipeline.runs.folder import RunFolder
from pipeline.runs.job import read_job
from pipeline.runs.locks import is_going
from pipeline.runs.run import read_run
from pipeline.store import VisitorFolder

__all__ = ["end_training", "is_training"]


def is_training(workspace: Path) -> bool:
    """Whether a run of this workspace is alive, here or as a job elsewhere: the sweep must leave it to its worker."""
    return bool(_going(workspace)) or any(map(_is_live_job, _folders(VisitorFolder(workspace).runs)))


def end_training(workspace: Path, seconds: float = 5) -> None:
    """End what trains in this workspace at once, keeping nothing: the folder is about to be deleted.

    A job elsewhere is its owner's, who alone can end it.
    """
    until = time.monotonic() + seconds
    while runs := _going(workspace):
        for run in runs:
            with contextlib.suppress(OSError):
                if pid := _pid(run):
                    os.killpg(pid, signal.SIGKILL)
        if time.monotonic() > until:
            return
        time.sleep(0.1)


def _going(workspace: Path) -> list[Path]:
    """The runs whose worker lives, those of learning curves among them."""
    runs = _folders(VisitorFolder(workspace).runs)
    parts = [part for run in runs for part in _folders(RunFolder(run).learning_curve.runs)]
    return [run for run in (*runs, *parts) if is_going(run)]


def _folders(root: Path) -> list[Path]:
    try:
        return list(root.iterdir())
    except OSError:  # there is none, or it is being deleted
        return []


def _pid(run_dir: Path) -> int | None:
    try:
        pid = json.loads(RunFolder(run_dir).state.read_text("utf-8"))["pid"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if isinstance(pid, int) and pid > 1 else None


def _is_live_job(run_dir: Path) -> bool:
    if read_job(run_dir) is None:
        return False
    with contextlib.suppress(ChatError, OSError, ValueError):
        return read_run(run_dir).live
    return False
