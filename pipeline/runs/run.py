"""A run as its folder tells it now."""

import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.machine import price_per_hour
from pipeline.planning import Plan, TrainingConfig
from pipeline.runs.folder import RunFolder, last_checkpoint, read_config, read_plan
from pipeline.runs.job import RemoteJob, read_job
from pipeline.runs.locks import is_going
from pipeline.runs.metrics import read_metrics
from pipeline.runs.state import LIVE, RunState, Status, read_control, read_killed, read_state

__all__ = ["Run", "read_run"]

AFTER_DEADLINE = 1800.0  # seconds that a job may wait for a machine, or be late with its last word


@dataclass(frozen=True)
class Run:
    """A run as its folder tells it now. Losses in nats a learned token, times in seconds.

    `config`: with what was left open filled in, as soon as there is a `plan`. `started_at`: since 1970.
    `seconds`: that it trained, here or as a job, pauses left out.
    """

    directory: Path
    config: TrainingConfig
    plan: Plan | None
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
    def asked(self) -> TrainingConfig:
        """The configuration as it was asked for, what was left open still open."""
        return self.config if self.plan is None else self.plan.config

    @property
    def live(self) -> bool:
        """Whether a process works on it now."""
        return self.status in LIVE


def read_run(run_dir: Path) -> Run:
    """The run as it is now; "lost" when its process is gone without a word. Raises ChatError where no run is."""
    config, plan = read_config(run_dir), read_plan(run_dir)
    state = read_state(run_dir) or RunState()
    status, message = state.status, state.message
    job = read_job(run_dir)
    if job is not None:
        if status in LIVE and time.time() > job.started_at + 60 * job.minutes + AFTER_DEADLINE:
            status, message = "lost", "The job's time is over and nothing more was heard of it."
        elif status in LIVE and read_control(run_dir):
            status = "stopping"
    elif status in LIVE:
        if not is_going(run_dir):
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
        config=config if plan is None else plan.settled,
        plan=plan,
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
        started_at=RunFolder(run_dir).config.stat().st_mtime,
        seconds=state.seconds if job is None else job.running_seconds,
        resumable=job is None
        and (status in ("paused", "failed", "lost") or (status == "stopped" and _has_checkpoint(run_dir))),
        has_adapter=RunFolder(run_dir).adapter.exists,
        job=job,
    )


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
