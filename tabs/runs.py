"""The visitor's training runs, as the header, the Fine-tune tab, the Chat tab and the sweep see them."""

from __future__ import annotations

import itertools
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import runs
from pipeline.errors import ChatError
from tabs.visitor import Visitor
from web.words import count

if TYPE_CHECKING:
    from pipeline.runs import Run

__all__ = [
    "check_none_goes",
    "finished_runs",
    "is_training",
    "kill_runs",
    "new_run_folder",
    "newest_run",
    "run_folders",
    "run_label",
    "runs_stamp",
    "seen_rows",
    "share_done",
]


def run_folders(visitor: Visitor) -> list[Path]:
    """The folders of the visitor's runs, newest first."""
    return runs.run_folders(visitor.runs)


def new_run_folder(visitor: Visitor) -> Path:
    """Where the visitor's next run is to lie, not made yet."""
    return runs.new_run_folder(visitor.runs)


def newest_run(visitor: Visitor) -> Run | None:
    """The run started last, or None if there is none."""
    return runs.newest_run(visitor.runs)


def check_none_goes(visitor: Visitor) -> None:
    """Raise ChatError while the visitor's newest run is going, here or as a job."""
    run = newest_run(visitor)
    if run is not None and run.live:
        raise ChatError("A training is going on: stop it first, or wait for it.")


def finished_runs(visitor: Visitor) -> list[Path]:
    """The folders of the runs that have a twin to talk to, newest first."""
    return runs.finished_folders(visitor.runs)


def is_training(folder: Path) -> bool:
    """Whether a run in this workspace is alive: the sweep must not delete it from under the worker."""
    return any(run.live for run in runs.list_runs(Visitor(folder).runs))


def kill_runs(visitor: Visitor) -> None:
    """End the visitor's training at once, keeping nothing: their folder is about to be deleted."""
    runs.kill_all(visitor.runs)


def runs_stamp(visitor: Visitor) -> str:
    """A string that changes whenever the page should: a run more, another state, another twentieth of its steps.

    Every tab looks anew then, which takes the browser a second or two: at every percent it would be busy all along.
    """
    run = newest_run(visitor)
    if run is None:
        return ""
    return f"{len(run_folders(visitor))}:{run.status}:{share_done(run)}"


def share_done(run: Run) -> int:
    """Percent of the run's steps that are done, in fives."""
    return 20 * run.step // max(run.total_steps, 1) * 5


def run_label(folder: Path) -> str:
    """A run in a list: whose twin, learned from how much, when."""
    from pipeline.dataset import read_about

    config, summary = read_about(runs.RunFolder(folder).dataset.path)
    when = f"{folder.name[9:11]}:{folder.name[11:13]}" if folder.name[8:9] == "-" else folder.name
    return f"Twin of {config.person}  ·  {count(summary.train_replies, 'reply', 'replies')}  ·  {when}"


def seen_rows(visitor: Visitor, model: str, most: int = 3) -> str:
    """A few rows as the tokens that the model will see; what it learns from is marked."""
    from pipeline.dataset import preview_rows, read_dataset
    from pipeline.models import load_tokenizer
    from pipeline.training.data import without_repeats

    parts = []
    for row in preview_rows(without_repeats(read_dataset(visitor.dataset).train), load_tokenizer(model), most):
        text = ""
        for learned, tokens in itertools.groupby(row.tokens, key=lambda token: token.learned):
            words = escape("".join(token.text for token in tokens))
            text += f"<mark>{words}</mark>" if learned else words
        parts.append(
            f'<p class="quiet">{row.learned_count:,} of {row.token_count:,} tokens are learned from</p>'
            f'<div class="tokens" dir="auto">{text}</div>'
        )
    return "".join(parts)
