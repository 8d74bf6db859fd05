"""Training runs: a folder each, started in a process of its own, followed, stopped and resumed by it; one at a time."""

from pipeline.runs.folder import last_checkpoint, lay_out, read_config, require_trackio
from pipeline.runs.run import (
    LIVE,
    RemoteJob,
    Run,
    is_held,
    list_runs,
    pause,
    read_job,
    read_metrics,
    read_run,
    resume,
    start,
    stop,
    watch,
    write_job,
)
from pipeline.runs.state import RunState, Status, read_state

__all__ = [
    "LIVE",
    "RemoteJob",
    "Run",
    "RunState",
    "Status",
    "is_held",
    "last_checkpoint",
    "lay_out",
    "list_runs",
    "pause",
    "read_config",
    "read_job",
    "read_metrics",
    "read_run",
    "read_state",
    "require_trackio",
    "resume",
    "start",
    "stop",
    "watch",
    "write_job",
]
