"""The visitor's training runs, as the header, the Fine-tune tab, the Chat tab and the sweep see them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tabs.visitor import Visitor

if TYPE_CHECKING:
    from pipeline.runs import Run

__all__ = ["LIVE", "finished_runs", "is_training", "kill_runs", "newest_run", "run_folders"]

LIVE = ("starting", "running", "stopping")


def run_folders(visitor: Visitor) -> list[Path]:
    """The folders of the visitor's runs, newest first."""
    folders = [path.parent for path in visitor.runs.glob("*/config.json")]
    return sorted(folders, key=lambda path: path.name, reverse=True)


def newest_run(visitor: Visitor) -> Run | None:
    """The run started last, or None if there is none."""
    from pipeline.runs import read_run

    folders = run_folders(visitor)
    return read_run(folders[0]) if folders else None


def finished_runs(visitor: Visitor) -> list[Path]:
    """The folders of the runs that have a twin to talk to, newest first."""
    return [folder for folder in run_folders(visitor) if (folder / "adapter/adapter_config.json").exists()]


def is_training(folder: Path) -> bool:
    """Whether a run in this workspace is alive: the sweep must not delete it from under the worker."""
    from pipeline.runs import read_run

    return any(read_run(path.parent).status in LIVE for path in (folder / "runs").glob("*/state.json"))


def kill_runs(visitor: Visitor) -> None:
    """End the visitor's training at once, keeping nothing: their folder is about to be deleted."""
    import json

    from pipeline.runs import read_run

    for folder in run_folders(visitor):
        if read_run(folder).status not in LIVE:
            continue
        with contextlib.suppress(OSError, ValueError, KeyError):
            pid = int(json.loads((folder / "state.json").read_text())["pid"])
            os.killpg(pid, signal.SIGKILL)
            time.sleep(0.2)
