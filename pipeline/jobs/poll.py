"""Looking after a job by its run's folder: what it pushed comes in, requests go out. The token is the caller's."""

import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline.errors import ChatError
from pipeline.hub import hub_api
from pipeline.jobs.faults import ask_jobs
from pipeline.jobs.worker import IN_REPO
from pipeline.models import AdapterFolder
from pipeline.runs import (
    LIVE,
    RemoteJob,
    Run,
    RunFolder,
    RunState,
    read_control,
    read_job,
    read_run,
    read_state,
    write_job,
    write_state,
)
from pipeline.store import replace_text

__all__ = ["cancel", "poll_job"]

ENDED = ("COMPLETED", "CANCELED", "ERROR", "DELETED")
ADAPTER = (AdapterFolder.weights.name, AdapterFolder.settings.name)
SECONDS = 10.0  # between two looks


def poll_job(run_dir: Path, token: str | None, *, seconds: float = SECONDS, endpoint: str | None = None) -> Run:
    """See how the job does and fetch what it has sent; the Hub is asked again only after so many seconds.

    Does nothing for a run that trains here. What goes wrong is in the job's `note` until the next look.
    """
    job = read_job(run_dir)
    if job is None or job.over or time.time() - job.looked_at < seconds:
        return read_run(run_dir)
    job = write_job(run_dir, job.model_copy(update={"looked_at": time.time()}))
    try:
        write_job(run_dir, _look(run_dir, job, hub_api(token, endpoint)))
    except ChatError as error:
        write_job(run_dir, job.model_copy(update={"note": str(error)}))
    return read_run(run_dir)


def cancel(run_dir: Path, token: str | None, *, endpoint: str | None = None) -> Run:
    """End the job at once; the best adapter that it has sent is kept. Raises ChatError."""
    job = read_job(run_dir)
    if job is None or job.over:
        raise ChatError("This job is over: there is nothing to cancel.")
    api = hub_api(token, endpoint)
    ask_jobs("this job", lambda: api.cancel_job(job_id=job.id, namespace=job.owner))
    return poll_job(run_dir, token, seconds=0, endpoint=endpoint)


def _look(run_dir: Path, job: RemoteJob, api: Any) -> RemoteJob:
    info = ask_jobs("this job", lambda: api.inspect_job(job_id=job.id, namespace=job.owner))
    stage = str(getattr(info.status.stage, "value", info.status.stage))
    asked = job.asked
    request = read_control(run_dir)
    if request and request != asked and stage not in ENDED:
        ask_jobs(job.repo, lambda: _pass_on(api, job.repo, request))
        asked = request
    seen = ask_jobs(job.repo, lambda: _fetch(api, job, run_dir))
    running = info.durations.running_secs if info.durations else None
    changed: dict[str, Any] = {
        "stage": stage, "running_seconds": running or job.running_seconds, "seen": seen, "asked": asked, "note": "",
        "over": stage in ENDED,
    }  # fmt: skip
    job = job.model_copy(update=changed)
    state = read_state(run_dir) or RunState()
    if stage in ENDED and state.status in LIVE:
        _end(run_dir, job, info.status.message or "")
    elif stage == "SCHEDULING" and state.status == "starting":
        write_state(run_dir, message="Waiting for a machine")
    return job


def _pass_on(api: Any, repo: str, request: str) -> None:
    from huggingface_hub import CommitOperationAdd

    wanted = CommitOperationAdd(f"{IN_REPO}/{RunFolder.control.name}", request.encode())
    api.create_commit(repo, [wanted], commit_message=f"Please {request}")


def _fetch(api: Any, job: RemoteJob, run_dir: Path) -> str:
    """Bring the run's folder up to what the repository holds, where that has changed; returns what it is now."""
    now = str(api.repo_info(job.repo, repo_type="model").sha)
    if now == job.seen:
        return now
    folder = RunFolder(run_dir)
    wanted = [*(f"{IN_REPO}/{path.name}" for path in folder.told), *ADAPTER]
    with tempfile.TemporaryDirectory(dir=run_dir) as scratch:
        got = Path(api.snapshot_download(job.repo, revision=now, allow_patterns=wanted, local_dir=scratch))
        if all((got / name).is_file() for name in ADAPTER):
            new = got / "new"
            new.mkdir()
            for name in ADAPTER:
                (got / name).rename(new / name)
            folder.replace_adapter(new)
        for path in folder.told:
            sent = got / IN_REPO / path.name
            if sent.is_file():
                text = sent.read_text(encoding="utf-8", errors="replace")
                if path == folder.state:
                    # Process ids of another machine mean nothing here, or worse.
                    text = RunState.model_validate_json(text).model_copy(update={"pid": None}).model_dump_json(indent=1)
                replace_text(path, text)
    return now


def _end(run_dir: Path, job: RemoteJob, said: str) -> None:
    """The job is over and the run never said how: it was ended from outside."""
    has_adapter = RunFolder(run_dir).adapter.exists
    kept = "the best so far is kept" if has_adapter else "nothing was learned yet"
    late = job.running_seconds >= 60 * job.minutes - 30 or "timeout" in said.lower() or "timed out" in said.lower()
    if job.stage == "CANCELED":
        message = f"The job was cancelled; {kept}."
    elif late:
        message = f"The job ran into its limit of {job.minutes} minutes; {kept}. Start it again with more time."
    else:
        message = f"The job ended before the training did; {kept}. Its log on Hugging Face says more."
    well = has_adapter and (late or job.stage == "CANCELED")
    write_state(run_dir, status="stopped" if well else "failed", message=message)
