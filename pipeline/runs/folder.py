"""A run's folder: laid out, locked while it trains, its configuration and checkpoints found again."""

import importlib.util
import os
import shutil
from pathlib import Path

from pipeline.errors import ChatError
from pipeline.planning import TrainingConfig
from pipeline.runs.state import replace_text, write_control, write_state

__all__ = ["COMPLETE", "LOCK_VARIABLE", "hold_lock", "last_checkpoint", "lay_out", "read_config", "require_trackio"]

LOCK_VARIABLE = "CHAT_TWIN_RUN_LOCK"  # the descriptor of a lock that was taken for the worker before it began
COMPLETE = "complete.json"  # written last into a checkpoint: without it a kill cut the writing short


def lay_out(dataset_dir: Path, run_dir: Path, config: TrainingConfig) -> None:
    """Make a run's folder: its config, a copy of the dataset, state "starting". Raises ChatError if one is there."""
    if (run_dir / "config.json").exists():
        raise ChatError("There is a run in this folder already: resume it, or choose another folder.")
    if not (dataset_dir / "dataset.json").exists():
        raise ChatError(f"The folder {dataset_dir.name} holds no dataset: build one first.")
    if config.trackio:
        require_trackio()
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copytree(dataset_dir, run_dir / "dataset", dirs_exist_ok=True)
    write_state(run_dir, status="starting")
    write_control(run_dir, "")
    replace_text(run_dir / "config.json", config.model_dump_json(indent=1))


def read_config(run_dir: Path) -> TrainingConfig:
    """The run's configuration. Raises ChatError where the folder holds no run."""
    try:
        return TrainingConfig.model_validate_json((run_dir / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ChatError(f"The folder {run_dir.name} holds no run, or one of another version: train anew.") from error


def hold_lock(run_dir: Path) -> int:
    """Take the run's lock for the life of this process; the kernel frees it however the process ends.

    So a lock that is held means a run that lives, whatever process ids say. Raises ChatError if another holds it.
    """
    import fcntl

    inherited = os.environ.pop(LOCK_VARIABLE, None)
    if inherited is not None:
        os.set_inheritable(int(inherited), False)
        return int(inherited)
    descriptor = os.open(run_dir / "worker.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ChatError("This run is still going: stop it first.") from None
    return descriptor


def last_checkpoint(run_dir: Path) -> Path | None:
    """The newest checkpoint that was written to its end."""
    whole = [path.parent for path in (run_dir / "checkpoints").glob(f"checkpoint-*/{COMPLETE}")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)


def require_trackio() -> None:
    """Raises ChatError where trackio is not installed."""
    if importlib.util.find_spec("trackio") is None:
        raise ChatError("trackio is not installed here: run `pip install trackio`, or leave it off.")
