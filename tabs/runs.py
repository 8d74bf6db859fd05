"""The visitor's training runs, as the header, the Fine-tune tab, the Chat tab and the sweep see them."""

from __future__ import annotations

from pathlib import Path

from pipeline import runs
from pipeline.visitors import (
    Visitor,
    check_none_goes,
    finished_runs,
    new_run_folder,
    newest_run,
    run_folders,
    runs_stamp,
    share_done,
)

__all__ = [
    "check_none_goes",
    "finished_runs",
    "is_training",
    "kill_runs",
    "new_run_folder",
    "newest_run",
    "run_folders",
    "runs_stamp",
    "share_done",
]


def is_training(folder: Path) -> bool:
    """Whether a run in this workspace is alive: the sweep must not delete it from under the worker."""
    return any(run.live for run in runs.list_runs(Visitor(folder).runs))


def kill_runs(visitor: Visitor) -> None:
    """End the visitor's training at once, keeping nothing: their folder is about to be deleted."""
    runs.kill_all(visitor.runs)
