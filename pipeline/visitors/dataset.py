"""The dataset that a visitor made of their chat."""

import shutil
from collections.abc import Sequence

from pipeline.dataset import Dataset, DatasetFolder, Format, read_dataset, write_dataset
from pipeline.visitors.left_out import keep_left_out
from pipeline.visitors.visitor import Visitor, stamp

__all__ = ["dataset_stamp", "load_dataset", "replace_dataset"]


def load_dataset(visitor: Visitor) -> Dataset | None:
    """The dataset, or None if there is none."""
    return read_dataset(visitor.dataset) if visitor.has_dataset else None


def replace_dataset(visitor: Visitor, dataset: Dataset, formats: Sequence[Format] = ("messages",)) -> None:
    """Keep a dataset, and what it leaves out, in place of the one before."""
    shutil.rmtree(visitor.dataset, ignore_errors=True)
    write_dataset(dataset, visitor.dataset, formats=formats)
    keep_left_out(visitor, dataset)


def dataset_stamp(visitor: Visitor) -> str:
    """A string that changes when the dataset does; "" where there is none."""
    return stamp(DatasetFolder(visitor.dataset).about)
