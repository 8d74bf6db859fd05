"""The steps as the command line takes them: each with a bar, and its result as a text."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.terminal import bar, count, say
from pipeline.errors import ChatError
from pipeline.progress import CancelledError

if TYPE_CHECKING:
    from pipeline.dataset import Dataset, DatasetConfig, Format
    from pipeline.evaluation import Exam
    from pipeline.hub import Pushed
    from pipeline.messages import Chat
    from pipeline.planning import TrainingConfig
    from pipeline.runs import Run

__all__ = [
    "analysis_text",
    "dataset_text",
    "examine",
    "make_dataset",
    "push_folder",
    "read_chat",
    "submit_job",
    "training_text",
    "watch_run",
    "writable",
]


WRITTEN = {"out": "Report", "card": "Card"}


def read_chat(
    files: list[Path], date_order: str | None = None, chat: str | None = None, merge: list[str] | None = None
) -> "Chat":
    """The chat of these files; each "A=B" of `merge` says that A and B are one person, who is called B."""
    from pipeline.sources import read

    if date_order not in (None, "dmy", "mdy", "ymd"):
        raise ChatError(f"The date order {date_order} is not known: use dmy, mdy or ymd.")
    with bar("Reading the chat") as progress:
        found = read(files[0] if len(files) == 1 else files, date_order=date_order, chat=chat, progress=progress)
    for pair in merge or []:
        found = _merged(found, pair)
    return found


def _merged(chat: "Chat", pair: str) -> "Chat":
    from pipeline.messages import people, with_one_name

    names, parts = people(chat.messages), pair.split("=")
    for i in range(1, len(parts)):
        name, into = "=".join(parts[:i]).strip(), "=".join(parts[i:]).strip()
        if name in names and into:
            return with_one_name(chat, name, into)
    raise ChatError("Nobody in this chat has the name to merge: write A=B, where A is a name as the chat has it.")


def writable(path: Path) -> Path:
    """The path, its folder made. Raises ChatError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ChatError(f"Nothing can be written to {path.parent}: choose another place.") from error
    return path


def analysis_text(title: str, data: dict[str, Any], made: Mapping[str, Path | None] | None = None) -> str:
    lines = [
        f"{title}: {count(data['messages'], 'message')}, {count(data['people'], 'person', 'people')}, "
        f"{count(data['words'], 'word')}, {count(data['days'], 'day')}",
        *(f"  {row['person']}: {count(row['messages'], 'message')}" for row in data["per_person"][:10]),
        *(f"{WRITTEN[what]}: {path}" for what, path in (made or {}).items() if path),
    ]
    return "\n".join(lines)


def make_dataset(
    chat: "Chat", config: "DatasetConfig", model: str, out: Path, forms: list[str], canaries: int = 0
) -> "Dataset":
    """Build a dataset and write it, with so many made-up secrets planted in it. Raises ChatError."""
    from pipeline.dataset import build_dataset, write_dataset
    from pipeline.evaluation import plant_canaries, write_canaries
    from pipeline.models import load_tokenizer

    wanted = known_forms(["messages", *forms])
    with bar("Building the dataset") as progress:
        made = build_dataset(chat.messages, config, load_tokenizer(model), progress)
        made, planted = plant_canaries(made, canaries)
        write_dataset(made, writable(out), wanted)
        write_canaries(planted, out)
    return made


def push_folder(
    folder: Path, repo: str, forms: list[str], *, consent: bool, public: bool, public_again: bool
) -> tuple["Pushed", str]:
    """Push a dataset's folder, or a run's adapter, after saying what goes up; where it went, in lines."""
    from pipeline.dataset import read_dataset
    from pipeline.hub import find_token, prepare_adapter, prepare_dataset, push
    from pipeline.runs import RunFolder

    with tempfile.TemporaryDirectory() as scratch:
        if RunFolder(folder).exists:
            upload = prepare_adapter(folder, Path(scratch) / "sent")
        else:
            upload = prepare_dataset(read_dataset(folder), Path(scratch) / "sent", known_forms(["messages", *forms]))
        for file in upload.files:
            rows = f", {count(file.rows, 'row')}" if file.rows is not None else ""
            say.print(f"  {file.path}: {file.bytes:,} bytes{rows}", markup=False)
        for warning in upload.warnings:
            say.print(warning, style="yellow", markup=False)
        with bar(f"Uploading to {repo}") as progress:
            done = push(
                upload, repo, find_token(), consent=consent, public=public, public_again=public_again,
                progress=progress,
            )  # fmt: skip
    changes = [
        f"  {what}: {now:,}" if before is None else f"  {what}: {before:,} before, {now:,} now"
        for what, (before, now) in done.changes.items()
    ]
    return done, "\n".join([f"{'Private' if done.private else 'Public'}: {done.url}", *changes])


def known_forms(forms: list[str]) -> list["Format"]:
    """These forms in their usual order. Raises ChatError where one is not known."""
    from pipeline.dataset import FORMATS

    if unknown := sorted(set(forms) - set(FORMATS)):
        raise ChatError(f"The format {unknown[0]} is not known: use {', '.join(FORMATS)}.")
    return [form for form in FORMATS if form in forms]


def dataset_text(made: "Dataset", out: Path) -> str:
    summary = made.summary
    lines = [
        f"{count(summary.train_replies, 'reply', 'replies')} of {made.config.person} to learn from, "
        f"{summary.validation_replies:,} held out, in {count(summary.sessions, 'conversation')} "
        f"(a silence of {summary.silence_minutes:.0f} minutes ends one)",
        f"{count(summary.train_rows, 'row')}, {count(summary.train_tokens, 'token')}: {out}",
        *(f"Left out: {count(dropped.count, 'message')} ({dropped.reason})" for dropped in made.dropped),
        *summary.hints,
    ]
    return "\n".join(lines)


def watch_run(run: "Run") -> "Run":
    """Draw the run until its process ends; Ctrl-C asks it to stop, which keeps the best. Raises ChatError."""
    from pipeline import runs

    look = runs.read_run if run.job is None else look_at_job
    with bar("Loading the model") as progress:
        try:
            run = runs.watch(run.directory, progress, look)
        except CancelledError:
            run = runs.watch(run.directory, look=look)
    if run.status in ("failed", "lost"):
        raise ChatError(run.message)
    return run


def look_at_job(run_dir: Path) -> "Run":
    from pipeline.hub import find_token
    from pipeline.jobs import poll_job

    return poll_job(run_dir, find_token())


def submit_job(
    dataset_dir: Path, out: Path, config: "TrainingConfig", machine: str, minutes: int, *, yes: bool, consent: bool
) -> "Run":
    """Say what a job costs, and start it where that was agreed to. Raises ChatError."""
    from datetime import datetime

    from pipeline.hub import find_token
    from pipeline.jobs import list_hardware, start_job

    token = find_token()
    offers = list_hardware(token)
    chosen = next((offer for offer in offers if offer.name == machine), None)
    if chosen is None:
        raise ChatError(f"Jobs have no machine {machine}: use {', '.join(offer.name for offer in offers)}.")
    most = chosen.price_per_hour * minutes / 60
    say.print(f"{chosen.label}. Ended after {minutes} minutes: at most ${most:,.2f}.", markup=False)
    if not yes:
        raise ChatError("A job costs money: say --yes to start it at this price.")
    name = f"chat-twin-{datetime.now():%Y%m%d-%H%M%S}"
    run = start_job(dataset_dir, out, config, chosen, minutes, token, consent=consent, name=name)
    assert run.job is not None
    say.print(f"{run.job.url}\nIts dataset is in {run.job.data_repo}: delete it when the job is over.", markup=False)
    return run


def training_text(run: "Run") -> str:
    from pipeline.runs import read_metrics
    from pipeline.training import dashboard_command

    before, after = run.base_validation_loss, run.best_validation_loss
    losses = f": held-out loss {before:.3f} before, {after:.3f} after" if before and after else ""
    told = f"{run.status.capitalize()} after {count(run.step, 'step')}{losses} (nats a token). {run.directory}"
    planned = "" if run.plan is None else f"Planned: {run.plan.sentence}."
    seen = f"Its dashboard: {dashboard_command(run.directory)}" if run.config.trackio else ""
    changed = read_metrics(run.directory)["message"].drop_nulls().to_list()
    return "\n".join(filter(None, (told, planned, *changed, run.message, seen)))


def examine(
    run_dir: Path, samples: int, *, full: bool = False, swap: Path | None = None, by_turn: bool = False
) -> "Exam":
    """The exam of a run; with `swap` or `by_turn` the one that there is, with these figures beside the others."""
    from pipeline.evaluation import evaluate as take_exam
    from pipeline.evaluation import examine_further
    from pipeline.runs import read_run

    for folder in filter(None, (run_dir, swap)):
        read_run(folder)
    with bar("Examining") as progress:
        if swap is None and not by_turn:
            return take_exam(run_dir, samples=samples, full=full, progress=progress)
        return examine_further(run_dir, swap=swap, by_turn=by_turn, full=full, samples=samples, progress=progress)
