"""The visitor's training runs, as the header, the Fine-tune tab, the Chat tab and the sweep see them."""

from __future__ import annotations

import itertools
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import runs
from pipeline.visitors import (
    Visitor,
    check_none_goes,
    finished_runs,
    new_run_folder,
    newest_run,
    run_folders,
    runs_stamp,
    share_done,
)
from web.words import count

if TYPE_CHECKING:
    pass

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


def is_training(folder: Path) -> bool:
    """Whether a run in this workspace is alive: the sweep must not delete it from under the worker."""
    return any(run.live for run in runs.list_runs(Visitor(folder).runs))


def kill_runs(visitor: Visitor) -> None:
    """End the visitor's training at once, keeping nothing: their folder is about to be deleted."""
    runs.kill_all(visitor.runs)


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
