"""Training runs: start one in a process of its own, follow it by its folder, stop it, go on with it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ChatError
from pipeline.machine.hardware import memory_kills
from pipeline.machine.prices import price_per_hour
from pipeline.planning import TrainingConfig
from pipeline.progress import SILENT, CancelledError, Progress
from pipeline.runs.folder import LOCK_VARIABLE, last_checkpoint, lay_out, read_config
from pipeline.runs.state import (
    RunState,
    Status,
    read_control,
    read_killed,
    read_state,
    replace_text,
    write_control,
    write_killed,
    write_state,
)

__all__ = [
    "LIVE",
    "RemoteJob",
    "Run",
    "is_held",
    "list_runs",
    "pause",
    "read_job",
    "read_metrics",
    "read_run",
    "resume",
    "start",
    "stop",
    "watch",
    "write_job",
]

LIVE: tuple[Status, ...] = ("starting", "running", "stopping")
POLL_SECONDS = 0.5
AFTER_DEADLINE = 1800.0  # seconds that a job may wait for a machine, or be late with its last word

METRICS = {
    "step": pl.Int64,
    "epoch": pl.Float64,
    "loss": pl.Float64,
    "validation_loss": pl.Float64,
    "learning_rate": pl.Float64,
    "tokens_per_second": pl.Float64,
    "memory_gib": pl.Float64,
    "seconds_left": pl.Float64,
    "message": pl.String,
}


class RemoteJob(BaseModel):
    """The job elsewhere that trains this run (job.json in its folder); times in seconds since 1970. Holds no token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    owner: str
    repo: str  # of the owner's: what comes out
    data_repo: str  # of the owner's: what goes in
    url: str
    hardware: str
    price_per_hour: float
    minutes: int  # after which it is ended
    started_at: float
    looked_at: float = 0.0
    stage: str = "SCHEDULING"
    running_seconds: float = 0.0
    seen: str = ""  # the state of the repository that was fetched last
    asked: str = ""  # the wish that was passed on
    note: str = ""  # why the last look failed
    over: bool = False  # nothing more will come


@dataclass(frozen=True)
class Run:
    """A run as its folder tells it now. Losses in nats a learned token, times in seconds.

    `started_at`: since 1970. `seconds`: that it trained, here or as a job, pauses left out.
    """

    directory: Path
    config: TrainingConfig
    status: Status
    message: str
    pid: int | None
    step: int
    total_steps: int
    loss: float | None
    base_validation_loss: float | None
    validation_loss: float | None
    best_validation_loss: float | None
    best_step: int | None
    tokens_per_second: float | None
    memory_gib: float | None
    seconds_left: float | None
    started_at: float
    seconds: float
    resumable: bool
    has_adapter: bool
    job: RemoteJob | None = None

    @property
    def spent(self) -> float | None:
        """Dollars that the machine cost while it trained; None where it is not rented."""
        price = price_per_hour() if self.job is None else self.job.price_per_hour
        return None if price is None else price * self.seconds / 3600

    @property
    def live(self) -> bool:
        """Whether a process works on it now."""
        return self.status in LIVE


def start(dataset_dir: Path, run_dir: Path, config: TrainingConfig) -> Run:
    """Start a run in a process group of its own, so that it outlives the app. Raises ChatError."""
    lay_out(dataset_dir, run_dir, config)
    _launch(run_dir)
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
    _launch(run_dir)
    return read_run(run_dir)


def stop(run_dir: Path) -> Run:
    """Ask the run to end after the step it is in; the best adapter so far is kept."""
    return _ask(run_dir, "stop")


def pause(run_dir: Path) -> Run:
    """Ask the run to end after the step it is in, with a checkpoint to resume from."""
    if read_job(run_dir) is not None:
        raise ChatError("A job cannot be paused: stop it, which keeps the best so far.")
    return _ask(run_dir, "pause")


def read_run(run_dir: Path) -> Run:
    """The run as it is now; "lost" when its process is gone without a word. Raises ChatError where no run is."""
    config = read_config(run_dir)
    state = read_state(run_dir) or RunState()
    status, message = state.status, state.message
    job = read_job(run_dir)
    if job is not None:
        if status in LIVE and time.time() > job.started_at + 60 * job.minutes + AFTER_DEADLINE:
            status, message = "lost", "The job's time is over and nothing more was heard of it."
        elif status in LIVE and read_control(run_dir):
            status = "stopping"
    elif status in LIVE:
        if not is_held(run_dir / "worker.lock"):
            # The process may have ended well between the two looks.
            state = read_state(run_dir) or state
            status, message = state.status, state.message
            if status in LIVE:
                status, message = "lost", _lost(run_dir, state)
        elif status == "running" and read_control(run_dir):
            status = "stopping"
    metrics = read_metrics(run_dir)
    return Run(
        directory=run_dir,
        config=config,
        status=status,
        message=message,
        pid=state.pid if status in LIVE else None,
        step=state.step,
        total_steps=state.total_steps,
        loss=_last(metrics, "loss"),
        base_validation_loss=state.base_validation_loss,
        validation_loss=_last(metrics, "validation_loss"),
        best_validation_loss=state.best_validation_loss,
        best_step=state.best_step,
        tokens_per_second=_last(metrics, "tokens_per_second"),
        memory_gib=_last(metrics, "memory_gib"),
        seconds_left=_last(metrics, "seconds_left") if status in LIVE else None,
        started_at=(run_dir / "config.json").stat().st_mtime,
        seconds=state.seconds if job is None else job.running_seconds,
        resumable=job is None
        and (status in ("paused", "failed", "lost") or (status == "stopped" and _has_checkpoint(run_dir))),
        has_adapter=(run_dir / "adapter" / "adapter_config.json").exists(),
        job=job,
    )


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


def read_job(run_dir: Path) -> RemoteJob | None:
    """The job that trains this run, or None where it trains here."""
    try:
        return RemoteJob.model_validate_json((run_dir / "job.json").read_text("utf-8"))
    except (OSError, ValidationError):
        return None


def write_job(run_dir: Path, job: RemoteJob) -> RemoteJob:
    """Keep what is known of the job."""
    replace_text(run_dir / "job.json", job.model_dump_json(indent=1))
    return job


def read_metrics(run_dir: Path) -> pl.DataFrame:
    """One row a line of metrics.jsonl, in order; columns as in METRICS, null where a line has none."""
    try:
        text = (run_dir / "metrics.jsonl").read_bytes()
    except OSError:
        return pl.DataFrame(schema=METRICS)
    whole = text[: text.rfind(b"\n") + 1]  # the last line may be half written
    if not whole.strip():
        return pl.DataFrame(schema=METRICS)
    return pl.read_ndjson(whole, schema=METRICS)


def list_runs(root: Path) -> list[Run]:
    """The runs in the folders under `root`, newest first."""
    runs = []
    for config in root.glob("*/config.json"):
        with contextlib.suppress(ChatError):
            runs.append(read_run(config.parent))
    return sorted(runs, key=lambda run: run.started_at, reverse=True)


def _launch(run_dir: Path) -> None:
    """Start the worker with the run's lock in its hands: from here on, lock held means worker alive."""
    with _lock(run_dir) as lock, (run_dir / "log.txt").open("ab") as log:
        write_control(run_dir, "")
        write_state(run_dir, status="starting", pid=None, message="")
        worker = subprocess.Popen(
            [sys.executable, "-m", "pipeline.training", str(run_dir.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[lock],
            cwd=Path(__file__).parents[2],
            # Threads that wait by spinning take the cores from the app and the browser beside them, which on a busy
            # machine makes learning slower than half: they wait by sleeping unless told otherwise.
            env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, LOCK_VARIABLE: str(lock), "PYTHONUNBUFFERED": "1"},
        )
        write_state(run_dir, pid=worker.pid)  # it may have to be ended before it says so itself, its model loaded
    threading.Thread(target=_see_off, args=(worker, run_dir, memory_kills()), daemon=True).start()


def _see_off(worker: subprocess.Popen[bytes], run_dir: Path, kills: int) -> None:
    """Wait for the worker's end, so that no zombie is left behind, and keep whether the system ended it."""
    if worker.wait() == -signal.SIGKILL:
        write_killed(run_dir, "memory" if memory_kills() > kills else "killed")


@contextlib.contextmanager
def _lock(run_dir: Path) -> Iterator[int]:
    import fcntl

    descriptor = os.open(run_dir / "worker.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for _ in range(300):  # a worker that has just said "paused" still holds it while it winds down
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.05)
        else:
            raise ChatError("This run is still going: stop it first.")
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(lock: Path) -> bool:
    """Whether a process holds this lock file."""
    import fcntl

    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _ask(run_dir: Path, wish: Literal["stop", "pause"]) -> Run:
    run = read_run(run_dir)
    if not run.live:
        raise ChatError("This run is not going, so there is nothing to stop.")
    write_control(run_dir, wish)
    return read_run(run_dir)


def _lost(run_dir: Path, state: RunState) -> str:
    """What likely happened to a run whose process is gone without a word, and what to do."""
    killed = read_killed(run_dir)
    there = _has_checkpoint(run_dir)
    when = f"after step {state.step}" if there else "before its first checkpoint"
    on = "it goes on from its last checkpoint" if there else "it begins again"
    if killed == "memory":
        return (
            f"This computer's memory ran out, and the system ended the training {when}. Close other programs and "
            f"resume: {on}, with half the batch."
        )
    if killed:
        return f"Something ended the training {when}, as when memory runs out. Resume, and {on}."
    return (
        f"The run was cut off {when}: {'it can go on from its last checkpoint' if there else 'resume to start again'}."
    )


def _has_checkpoint(run_dir: Path) -> bool:
    return last_checkpoint(run_dir) is not None


def _last(metrics: pl.DataFrame, column: str) -> float | None:
    values = metrics[column].drop_nulls()
    return float(values[-1]) if len(values) else None
