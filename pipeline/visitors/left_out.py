"""What a visitor's dataset leaves out, kept beside it: its own folder holds no samples of that."""

import json
from dataclasses import asdict

from pipeline.dataset import Dataset, Dropped
from pipeline.store import replace_text
from pipeline.visitors.visitor import Visitor

__all__ = ["LeftOut", "forget_left_out", "keep_left_out", "left_out"]

LeftOut = tuple[list[Dropped], list[Dropped]]  # left out, and what filters that are off would leave out


def keep_left_out(visitor: Visitor, dataset: Dataset) -> None:
    """Keep what a dataset that was made leaves out."""
    left = [[asdict(one) for one in some] for some in (dataset.dropped, dataset.spared)]
    replace_text(visitor.files.left_out, json.dumps(left, ensure_ascii=False))


def forget_left_out(visitor: Visitor) -> None:
    """Delete it: its dataset is gone."""
    visitor.files.left_out.unlink(missing_ok=True)


def left_out(visitor: Visitor) -> LeftOut:
    """What was kept; nothing where nothing was."""
    try:
        lists = json.loads(visitor.files.left_out.read_text(encoding="utf-8"))
        dropped, spared = ([Dropped(**{**one, "samples": tuple(one["samples"])}) for one in some] for some in lists)
    except (OSError, ValueError, TypeError, KeyError):
        return [], []
    return dropped, spared
