"""The other side of a job: train here as anywhere, and push the run's folder as it grows."""

import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline import runs
from pipeline.errors import ChatError
from pipeline.hub import prepare_adapter
from pipeline.runs import Run, RunFolder, read_config

__all__ = ["IN_REPO", "main"]

IN_REPO = "run"  # where the run's files lie in the repository
LAST_TRIES = 6


def main(arguments: list[str]) -> int:
    """`python -m pipeline.jobs DATA_DIR REPO`: exit code 0 when it trained or was stopped, 1 when it failed."""
    if len(arguments) != 2:
        print("usage: python -m pipeline.jobs DATA_DIR REPO")
        return 2
    data, repo = RunFolder(Path(arguments[0])), arguments[1]  # laid out as a run that has not begun
    seconds = float(os.environ.get("CHAT_TWIN_JOB_SECONDS", "20"))
    with tempfile.TemporaryDirectory() as scratch:
        run_dir = Path(scratch) / "run"
        sent: dict[str, str] = {}
        run = runs.start(data.dataset.path, run_dir, read_config(data.path))
        while run.live:
            time.sleep(seconds)
            run = runs.read_run(run_dir)
            print(f"{run.status}, step {run.step} of {run.total_steps}", flush=True)
            try:
                push(repo, run, sent)
                obey(repo, run)
            except Exception as error:  # the Hub's bad minutes must not end a training: the next turn sends it all
                print(f"The Hub did not take it now ({type(error).__name__}); trying again.", flush=True)
            run = runs.read_run(run_dir)
        push_last(repo, run, sent, seconds)
    return 0 if run.status in ("done", "stopped") else 1


def push_last(repo: str, run: Run, sent: dict[str, str], seconds: float) -> None:
    """What is not sent now is lost with the machine, so it is tried for minutes."""
    for attempt in range(LAST_TRIES):
        try:
            push(repo, run, sent)
            return
        except Exception as error:
            print(f"The Hub did not take the last files ({type(error).__name__}).", flush=True)
            time.sleep(seconds * 2**attempt / 4)


def push(repo: str, run: Run, sent: dict[str, str]) -> None:
    """Commit what changed since the last time; `sent` remembers it by path."""
    from huggingface_hub import CommitOperationAdd

    with tempfile.TemporaryDirectory() as scratch:
        told = RunFolder(run.directory).told
        files = {f"{IN_REPO}/{path.name}": path for path in told if path.is_file()}
        try:
            upload = prepare_adapter(run.directory, Path(scratch) / "sent")
            files.update({file.path: upload.folder / file.path for file in upload.files})
        except (ChatError, OSError):  # none yet, or a better one is just taking its place
            pass
        content = {path: file.read_bytes() for path, file in files.items()}
        now = {path: hashlib.sha256(data).hexdigest() for path, data in content.items()}
        changed = [path for path in sorted(now) if sent.get(path) != now[path]]
        if not changed:
            return
        operations = [CommitOperationAdd(path_in_repo=path, path_or_fileobj=content[path]) for path in changed]
        api().create_commit(repo, operations, commit_message=f"{run.status}, step {run.step}")
        sent.update(now)


def obey(repo: str, run: Run) -> None:
    """Stop where the run's owner has asked for it, by a file in the repository."""
    from huggingface_hub.errors import EntryNotFoundError

    with tempfile.TemporaryDirectory() as scratch:
        try:
            path = api().hf_hub_download(repo, f"{IN_REPO}/{RunFolder.control.name}", local_dir=scratch)
            request = Path(path).read_text("utf-8").strip()
        except EntryNotFoundError:
            return
    if request == "stop" and runs.read_run(run.directory).live:
        runs.stop(run.directory)


def api() -> Any:
    from huggingface_hub import HfApi

    return HfApi(token=os.environ["HF_TOKEN"], library_name="chat-twin")
