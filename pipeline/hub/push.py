"""Pushing to the Hub: prepared and shown first, private, in one commit."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipeline.dataset import REASONS, Dataset, Dropped, Format, Summary, write_rows
from pipeline.errors import ChatError
from pipeline.hub.account import full_name, hub_api, read_account
from pipeline.hub.cards import dataset_card
from pipeline.hub.faults import ask_hub
from pipeline.progress import SILENT, Progress

__all__ = ["CONSENT", "Pushed", "Upload", "UploadFile", "prepare_dataset", "push"]

CONSENT = "The other people in this chat know that it is uploaded, and agree."
COUNTS = "chat-twin.json"  # what the next push compares itself with, and how we know a repository of ours


@dataclass(frozen=True)
class UploadFile:
    """One file as it will be uploaded; `rows` where it is a table."""

    path: str
    bytes: int
    rows: int | None = None


@dataclass(frozen=True)
class Upload:
    """Exactly what a push will upload: the folder holds these files and no others."""

    folder: Path
    kind: Literal["dataset", "model"]
    files: tuple[UploadFile, ...]
    counts: dict[str, int]
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def digest(self) -> str:
        """What stands for exactly these files: it differs wherever a name or a byte does (SHA-256)."""
        found = hashlib.sha256()
        for file in self.files:
            found.update(f"{file.path}\n{file.bytes}\n".encode())
            found.update((self.folder / file.path).read_bytes())
        return found.hexdigest()


@dataclass(frozen=True)
class Pushed:
    """Where it went, and how its counts changed: name -> (before, now), before null the first time."""

    url: str
    private: bool
    changes: dict[str, tuple[int | None, int]] = field(default_factory=dict)


def prepare_dataset(
    dataset: Dataset,
    folder: Path,
    formats: Sequence[Format] = ("messages",),
    *,
    title: str = "A chat",
    licence: str = "other",
) -> Upload:
    """Write what a push of this dataset will upload into `folder` (emptied first): Parquet, the card, the counts."""
    shutil.rmtree(folder, ignore_errors=True)
    parts = {"train": dataset.train, "validation": dataset.validation}
    rows: dict[str, int] = {}
    for form in formats:
        for part, part_rows in parts.items():
            if part_rows:
                lines, table = write_rows(part_rows, folder / form / part, form)
                lines.unlink()
                rows[table.relative_to(folder).as_posix()] = len(part_rows)
    redaction = dataset.config.redaction
    card = dataset_card(
        dataset.config,
        dataset.summary,
        dataset.dropped or dropped_counts(dataset.summary),
        formats,
        title=title,
        licence=licence,
        consent=CONSENT,
        aliases="name" in dataset.summary.masked,
    )
    (folder / "README.md").write_text(str(card), encoding="utf-8")
    summary = dataset.summary
    counts = {
        f"{part} {what}": getattr(summary, f"{part}_{what}") for part in parts for what in ("replies", "rows", "tokens")
    }
    warnings = () if redaction else ("Nothing is masked: names, numbers and links go up as they were written.",)
    return seal(folder, "dataset", counts, rows, warnings)


def dropped_counts(summary: Summary) -> list[Dropped]:
    """What a dataset that was read from its folder still knows of what was left out."""
    return [Dropped(name, REASONS.get(name, REASONS["media"]), count) for name, count in summary.dropped.items()]


def seal(
    folder: Path,
    kind: Literal["dataset", "model"],
    counts: dict[str, int],
    rows: dict[str, int],
    warnings: tuple[str, ...] = (),
) -> Upload:
    """The upload that a folder now is, with its counts written into it."""
    (folder / COUNTS).write_text(json.dumps(counts, indent=2), encoding="utf-8")
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = tuple(UploadFile(path, (folder / path).stat().st_size, rows.get(path)) for path in paths)
    return Upload(folder, kind, files, counts, warnings)


def push(
    upload: Upload,
    repo: str,
    token: str | None,
    *,
    consent: bool,
    public: bool = False,
    public_again: bool = False,
    progress: Progress = SILENT,
    endpoint: str | None = None,
) -> Pushed:
    """Upload it in one commit to a private repository, which becomes public only after that and if asked for twice.

    After a break, push again: what has arrived is not sent again. A repository that holds something else, or is public
    when private is asked for, is refused. Raises ChatError.
    """
    if not consent:
        raise ChatError("Before anything is uploaded the others must know of it and agree: confirm that they do.")
    if public and not public_again:
        raise ChatError("Public means that anyone can read this chat: confirm it once more, or keep it private.")
    account = read_account(token, endpoint)
    name = full_name(repo, account)
    api = hub_api(token, endpoint)

    def upload_all() -> dict[str, int]:
        progress(0, what=f"Opening {name}")
        held = open_repo(api, name, upload.kind, public=public)
        before = last_counts(api, name, upload.kind) if held else {}
        commit(api, name, upload, held, progress)
        if public:
            api.update_repo_settings(name, private=False, repo_type=upload.kind)
        return before

    before = ask_hub(name, upload_all)
    changes = {what: (before.get(what), count) for what, count in upload.counts.items()}
    site = api.endpoint if upload.kind == "model" else f"{api.endpoint}/datasets"
    return Pushed(f"{site}/{name}", not public, changes)


def open_repo(api: Any, name: str, kind: str, *, public: bool) -> set[str]:
    """Make the repository, private, or find it ours; return the files that it holds. Raises ChatError."""
    api.create_repo(name, repo_type=kind, private=True, exist_ok=True)
    info = api.repo_info(name, repo_type=kind)
    if not info.private and not public:
        raise ChatError(f"{name} is public already: choose another name, or make it private on the Hub first.")
    held = {file.rfilename for file in info.siblings or ()} - {".gitattributes"}
    if held and COUNTS not in held:
        raise ChatError(f"{name} holds something that was not made here: choose another name.")
    return held


def last_counts(api: Any, name: str, kind: str) -> dict[str, int]:
    """The counts of the push before; none where somebody edited them, and the push is none the worse for it."""
    with tempfile.TemporaryDirectory() as scratch:
        path = api.hf_hub_download(name, COUNTS, repo_type=kind, local_dir=scratch)
        try:
            counts = json.loads(Path(path).read_text(encoding="utf-8"))
            return {str(what): int(count) for what, count in counts.items()}
        except (ValueError, AttributeError, TypeError):
            return {}


def commit(api: Any, name: str, upload: Upload, held: set[str], progress: Progress) -> None:
    """One commit, so that what is there is either the last push or this one, never half of each."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    ours = {file.path for file in upload.files}
    stale = sorted(path for path in held - ours if upload.kind == "dataset" and path.endswith(".parquet"))
    added = [CommitOperationAdd(path_in_repo=path, path_or_fileobj=str(upload.folder / path)) for path in sorted(ours)]
    sent = 0
    for file in added:  # one at a time, so that there is something to tell, and nothing is public before the commit
        progress(sent, upload.bytes, f"Uploading {file.path_in_repo}")
        api.preupload_lfs_files(name, [file], repo_type=upload.kind)
        sent += file.upload_info.size
    operations = [*added, *(CommitOperationDelete(path_in_repo=path) for path in stale)]
    progress(sent, upload.bytes, "Putting it in place")
    message = "Update from Chat Twin" if held & ours else "Upload from Chat Twin"
    api.create_commit(name, operations, repo_type=upload.kind, commit_message=message)
