"""A run's worker: started in a process of its own, asked to stop or pause, followed to its end, ended at once."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pipeline.errors import ChatError
from pipeline.machine import memory_kills
from pipeline.planning import Plan, TrainingConfig
from pipeline.progress import SILENT, CancelledError, Progress
from pipeline.runs.folder import FORMAT, RunFolder, lay_out
from pipeline.runs.job import read_job
from pipeline.runs.locks import Held, hold_run, hold_training
from pipeline.runs.run import Run, read_run
from pipeline.runs.state import write_control, write_killed, write_state
from pipeline.store import replace_text

__all__ = ["pause", "resume", "start", "stop", "watch"]

POLL_SECONDS = 0.5


def start(
    dataset_dir: Path,
    run_dir: Path,
    config: TrainingConfig,
    plan: Plan | None = None,
    *,
    training_lock: int | None = None,
) -> Run:
    """Start a run in a process group of its own, so that it outlives the app.

    plan: as for `lay_out`. training_lock: the machine's, where the caller holds it.
    Raises ChatError, also where anybody trains here already.
    """
    with hold_training(run_dir) if training_lock is None else contextlib.nullcontext(training_lock) as lock:
        lay_out(dataset_dir, run_dir, config, plan)
        _launch(run_dir, lock)
    return read_run(run_dir)


def resume(run_dir: Path) -> Run:
    """Go on from the last checkpoint, or from the beginning where there is none. Raises ChatError."""
    run = read_run(run_dir)
    if run.job is not None:
        raise ChatError("A job cannot be resumed: start another.")
    if run.live:
        raise ChatError("This run is still going: there is nothing to resume.")
    if not run.resumable:
        raise ChatError("This run is finished: start another to train more.")
    with hold_training(run_dir) as lock:
        replace_text(RunFolder(run_dir).format, str(FORMAT))  # from here on it is ours, whichever version began it
        _launch(run_dir, lock)
    return read_run(run_dir)


def stop(run_dir: Path) -> Run:
    """Ask the run to end after the step it is in; the best adapter so far is kept."""
    return _ask(run_dir, "stop")


def pause(run_dir: Path) -> Run:
    """Ask the run to end after the step it is in, with a checkpoint to resume from."""
    if read_job(run_dir) is not None:
        raise ChatError("A job cannot be paused: stop it, which keeps the best so far.")
    return _ask(run_dir, "pause")


def watch(run_dir: Path, progress: Progress = SILENT, look: Callable[[Path], Run] = read_run) -> Run:
    """Tell how far a run is until its process ends; the run as it is then.

    Cancelled, it asks the run to stop and raises CancelledError, not waiting for its end. look: how to read the run.
    """
    run = look(run_dir)
    while run.live:
        loss = "" if run.loss is None else f", loss {run.loss:.2f}"
        said = f"Learning, step {run.step} of {run.total_steps}{loss}" if run.total_steps else None
        try:
            progress(run.step if run.total_steps else 0, run.total_steps or 1, said)
        except CancelledError:
            with contextlib.suppress(ChatError):  # it has just ended by itself
                stop(run_dir)
            raise
        time.sleep(POLL_SECONDS)
        run = look(run_dir)
    return run


def _launch(run_dir: Path, training_lock: int) -> None:
    """Start the worker with both locks in its hands: from here on, lock held means worker alive."""
    with hold_run(run_dir) as run_lock, RunFolder(run_dir).log.open("ab") as log:
        held = Held(run_lock, training_lock)
        write_control(run_dir, "")
        write_state(run_dir, status="starting", pid=None, message="")
        worker = subprocess.Popen(
            [sys.executable, "-m", "pipeline.training", str(run_dir.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=held.descriptors,
            cwd=Path(__file__).parents[2],
            # Threads that wait by spinning take the cores from the app and the browser beside them, which on a busy
            # machine makes learning slower than half: they wait by sleeping unless told otherwise.
            env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **held.environment, "PYTHONUNBUFFERED": "1"},
        )
        write_state(run_dir, pid=worker.pid)  # it may have to be ended before it says so itself, its model loaded
    threading.Thread(target=_wait_for_exit, args=(worker, run_dir, memory_kills()), daemon=True).start()


def _wait_for_exit(worker: subprocess.Popen[bytes], run_dir: Path, kills: int) -> None:
    """Wait for the worker's end, so that no zombie is left behind, and keep whether the system ended it."""
    if worker.wait() == -signal.SIGKILL:
        write_killed(run_dir, "memory" if memory_kills() > kills else "killed")


def _ask(run_dir: Path, request: Literal["stop", "pause"]) -> Run:
    run = read_run(run_dir)
    if not run.live:
        raise ChatError("This run is not going, so there is nothing to stop.")
    write_control(run_dir, request)
    return read_run(run_dir)
