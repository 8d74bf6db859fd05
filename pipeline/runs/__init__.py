"""Training runs: a folder each, started in a process of its own, followed, stopped and resumed by it; one at a time."""

from pipeline.runs.ending import end_training, is_training
from pipeline.runs.folder import (
    BlindTestFolder,
    LearningCurveFolder,
    RunFolder,
    last_checkpoint,
    lay_out,
    read_config,
    read_plan,
    require_trackio,
    write_config,
    write_plan,
)
from pipeline.runs.job import RemoteJob, read_job, write_job
from pipeline.runs.listing import finished_folders, list_runs, new_run_folder, newest_run, run_folders
from pipeline.runs.locks import Held, hold_both, hold_run, hold_training
from pipeline.runs.metrics import add_metrics, cut_metrics, metrics_lines, read_metrics
from pipeline.runs.process import pause, resume, start, stop, watch
from pipeline.runs.run import Run, read_run
from pipeline.runs.state import (
    LIVE,
    Request,
    RunState,
    Status,
    read_control,
    read_killed,
    read_state,
    write_control,
    write_killed,
    write_state,
)

__all__ = [
    "LIVE",
    "BlindTestFolder",
    "Held",
    "LearningCurveFolder",
    "RemoteJob",
    "Request",
    "Run",
    "RunFolder",
    "RunState",
    "Status",
    "add_metrics",
    "cut_metrics",
    "end_training",
    "finished_folders",
    "hold_both",
    "hold_run",
    "hold_training",
    "is_training",
    "last_checkpoint",
    "lay_out",
    "list_runs",
    "metrics_lines",
    "new_run_folder",
    "newest_run",
    "pause",
    "read_config",
    "read_control",
    "read_job",
    "read_killed",
    "read_metrics",
    "read_plan",
    "read_run",
    "read_state",
    "require_trackio",
    "resume",
    "run_folders",
    "start",
    "stop",
    "watch",
    "write_config",
    "write_control",
    "write_job",
    "write_killed",
    "write_plan",
    "write_state",
]
