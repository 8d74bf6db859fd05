"""The job elsewhere that trains a run, as the run's folder knows it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.runs.folder import RunFolder
from pipeline.store import replace_text

__all__ = ["RemoteJob", "read_job", "write_job"]


class RemoteJob(BaseModel):
    """The job elsewhere that trains this run; times in seconds since 1970. Holds no token."""

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
    asked: str = ""  # the request that was passed on
    note: str = ""  # why the last look failed
    over: bool = False  # nothing more will come


def read_job(run_dir: Path) -> RemoteJob | None:
    """The job that trains this run, or None where it trains here."""
    try:
        return RemoteJob.model_validate_json(RunFolder(run_dir).job.read_text("utf-8"))
    except (OSError, ValidationError):
        return None


def write_job(run_dir: Path, job: RemoteJob) -> RemoteJob:
    """Keep what is known of the job."""
    replace_text(RunFolder(run_dir).job, job.model_dump_json(indent=1))
    return job
