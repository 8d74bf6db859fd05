"""The visitor's training runs, as the header, the Fine-tune tab, the Chat tab and the sweep see them."""

from __future__ import annotations

from pipeline.visitors import (
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
    "new_run_folder",
    "newest_run",
    "run_folders",
    "runs_stamp",
    "share_done",
]
