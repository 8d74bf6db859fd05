"""The runs under a folder: a visitor's, or those of a learning curve."""

import contextlib
import secrets
from datetime import datetime
from pathlib import Path

from pipeline.errors import ChatError
from pipeline.runs.folder import RunFolder
from pipeline.runs.run import Run, read_run

__all__ = ["finished_folders", "list_runs", "new_run_folder", "newest_run", "run_folders"]


def list_runs(root: Path) -> list[Run]:
    """The runs in the folders under `root`, newest first; those that cannot be read are left out."""
    runs = []
    for folder in run_folders(root):
        with contextlib.suppress(ChatError, OSError):  # of another version, or deleted meanwhile
            runs.append(read_run(folder))
    return sorted(runs, key=lambda run: run.started_at, reverse=True)


def run_folders(root: Path) -> list[Path]:
    """The folders of the runs under `root`; where `new_run_folder` named them, newest first."""
    found: list[Path] = []
    with contextlib.suppress(OSError):  # deleted meanwhile
        found += [path.parent for path in root.glob(f"*/{RunFolder.config.name}")]
    return sorted(found, key=lambda path: path.name, reverse=True)


def new_run_folder(root: Path) -> Path:
    """Where the next run under `root` is to lie, not made yet; its name sorts by time."""
    root.mkdir(mode=0o700, exist_ok=True)
    return root / f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def newest_run(root: Path) -> Run | None:
    """The run under `root` that was started last, or None where there is none."""
    folders = run_folders(root)
    return read_run(folders[0]) if folders else None


def finished_folders(root: Path) -> list[Path]:
    """The folders of the runs that have a twin to talk to, newest first."""
    return [folder for folder in run_folders(root) if RunFolder(folder).adapter.exists]
