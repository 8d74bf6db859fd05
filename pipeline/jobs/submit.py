"""Starting a job: the dataset and our own code into a private repository of the user's, then one command on it.

The code goes up beside the dataset, file by file, so that the job trains with exactly what runs here and its owner can
read it. The Hub mounts that repository into the job, where `python -m pipeline.jobs` trains and pushes what comes out
to a second private repository. The token goes along as a secret of the job and is written nowhere.
"""

import importlib.metadata
import shutil
import time
import warnings
from pathlib import Path
from typing import Any

from pipeline.errors import ChatError
from pipeline.hub import CONSENT, Account, hub_api, read_account
from pipeline.jobs.faults import ask_jobs
from pipeline.jobs.hardware import Hardware
from pipeline.planning import TrainingConfig
from pipeline.runs import RemoteJob, Run, RunFolder, lay_out, read_run, write_job

__all__ = ["DATA_MOUNT", "start_job"]

DATA_MOUNT = "/chat-twin"
PACKAGES = (
    "accelerate", "bitsandbytes", "datasets", "huggingface_hub", "peft", "polars", "psutil", "pydantic", "torch",
    "transformers", "trl",
)  # fmt: skip

CARD = """---
license: other
language: en
tags: [chat-twin]
---
# What a training job of Chat Twin learns from

`dataset/` is a private chat, `code/` is what learns from it, `config.json` how. Delete this repository when the job is
over: nothing needs it then. {consent}
"""


def start_job(
    dataset_dir: Path,
    run_dir: Path,
    config: TrainingConfig,
    hardware: Hardware,
    minutes: int,
    token: str | None,
    *,
    consent: bool,
    name: str,
    endpoint: str | None = None,
) -> Run:
    """Start a job of at most so many minutes and give it a run's folder. Raises ChatError, and then leaves nothing.

    name: of the private repositories, which must not exist yet: NAME for what comes out, NAME-data for what goes in.
    """
    if not consent:
        raise ChatError("Before anything is uploaded the others must know of it and agree: confirm that they do.")
    if Path(config.model).expanduser().is_dir():
        raise ChatError("A job cannot reach a model on this computer: choose one from the Hub, or the starter model.")
    if not 5 <= minutes <= 24 * 60:
        raise ChatError("A job may take from 5 minutes to a day: choose a time between.")
    account = read_account(token, endpoint)
    if not account.can_write:
        raise ChatError("This token may only read: make one with write access in your Hub settings, and try again.")
    api = hub_api(token, endpoint)
    # What was chosen for this computer is not for that machine: it has GPUs of its own, and no dashboard.
    lay_out(dataset_dir, run_dir, config.model_copy(update={"processes": None, "trackio": False}))
    repos = ((f"{account.name}/{name}", "model"), (f"{account.name}/{name}-data", "dataset"))
    made: list[tuple[str, str]] = []
    try:
        for repo, kind in repos:
            ask_jobs(repo, lambda repo=repo, kind=kind: make_private(api, repo, kind))  # type: ignore[misc]
            made.append((repo, kind))
        ask_jobs(repos[1][0], lambda: upload(api, repos[1][0], run_dir))
        job = ask_jobs("this job", lambda: submit(api, account, repos[0][0], hardware, minutes, str(token)))
    except BaseException:
        shutil.rmtree(run_dir, ignore_errors=True)
        for repo, kind in made:
            forget(api, repo, kind)
        raise
    write_job(
        run_dir,
        RemoteJob(
            id=job.id, owner=account.name, repo=repos[0][0], data_repo=repos[1][0], url=job.url,
            hardware=hardware.title, price_per_hour=hardware.price_per_hour, minutes=minutes, started_at=time.time(),
        ),
    )  # fmt: skip
    return read_run(run_dir)


def make_private(api: Any, repo: str, kind: str) -> None:
    """A new repository; what an account's settings make public is not filled."""
    api.create_repo(repo, repo_type=kind, private=True, exist_ok=False)
    if not api.repo_info(repo, repo_type=kind).private:
        forget(api, repo, kind)
        raise ChatError(f"The Hub made {repo} public, so nothing was put into it: look at your account's settings.")


def forget(api: Any, repo: str, kind: str) -> None:
    """Delete a repository that we have just made; if that fails too, it is empty or private."""
    import contextlib

    with contextlib.suppress(Exception):
        api.delete_repo(repo, repo_type=kind, missing_ok=True)


def upload(api: Any, repo: str, run_dir: Path) -> None:
    """The dataset, the configuration and our code in one commit."""
    from huggingface_hub import CommitOperationAdd

    package, folder = Path(__file__).parents[1], RunFolder(run_dir)
    files: dict[str, Path | bytes] = {
        "README.md": CARD.format(consent=CONSENT).encode(),
        **{path.relative_to(run_dir).as_posix(): path for path in (folder.config, *folder.dataset.needed)},
        **{f"code/pipeline/{path.relative_to(package).as_posix()}": path for path in package.rglob("*.py")},
    }
    operations = [
        CommitOperationAdd(path_in_repo=path, path_or_fileobj=file if isinstance(file, bytes) else str(file))
        for path, file in sorted(files.items())
    ]
    api.create_commit(repo, operations, repo_type="dataset", commit_message="A training job of Chat Twin")


def submit(api: Any, account: Account, repo: str, hardware: Hardware, minutes: int, token: str) -> Any:
    """The job itself: uv installs the versions that run here, then our code runs on what is mounted."""
    from huggingface_hub import Volume

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it says that the call is new
        return api.run_uv_job(
            "python",
            script_args=["-m", "pipeline.jobs", DATA_MOUNT, repo],
            dependencies=pinned(),
            python="3.12",
            env={"PYTHONPATH": f"{DATA_MOUNT}/code", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
            secrets={"HF_TOKEN": token},
            flavor=hardware.name,
            timeout=f"{minutes}m",
            name="chat-twin",
            volumes=[Volume(type="dataset", source=f"{repo}-data", mount_path=DATA_MOUNT)],
            namespace=account.name,
        )


def pinned() -> list[str]:
    """What training needs, in the versions that are installed here."""
    versions = ((name, importlib.metadata.version(name).split("+")[0]) for name in PACKAGES)
    return [f"{name}=={version}" for name, version in versions]
