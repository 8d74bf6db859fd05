"""A dataset as a folder, and back. What its files are called is said here and nowhere else."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from pipeline.dataset.config import Dataset, DatasetConfig, Format, Row, Summary
from pipeline.dataset.formats import format_row
from pipeline.errors import ChatError
from pipeline.store import Entry, Folder, replace_text

__all__ = ["PARTS", "DatasetFolder", "read_about", "read_dataset", "write_dataset", "write_rows"]

PARTS = ("train", "validation")
FORMAT = 1  # of the folder; raised where an older app could not read what this one writes
NEWER = "was made by a newer version of Chat Twin: update this one, or make the dataset again."


class DatasetFolder(Folder):
    """A dataset's folder: how it was made, its rows, and the rows in other forms."""

    about = Entry("dataset.json")
    train = Entry("train.jsonl")
    validation = Entry("validation.jsonl")
    formats = Entry("formats")
    canaries = Entry("canaries.json")

    @property
    def exists(self) -> bool:
        """Whether a dataset lies here."""
        return self.about.exists()

    @property
    def rows(self) -> tuple[Path, Path]:
        """The files of PARTS."""
        return self.train, self.validation

    @property
    def needed(self) -> tuple[Path, ...]:
        """What a training reads."""
        return self.about, *self.rows

    def made_in(self) -> list[str]:
        """The further forms that the rows are kept in."""
        return sorted(path.name for path in self.formats.glob("*") if path.is_dir())


class About(BaseModel):
    """What dataset.json holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    config: DatasetConfig
    summary: Summary


def write_dataset(dataset: Dataset, directory: Path, formats: Sequence[Format] = ("messages",)) -> Path:
    """Write train.jsonl, validation.jsonl and dataset.json; forms other than messages go to formats/NAME/.

    Those are written as JSON lines and as Parquet. Returns the directory; what it held of a dataset is replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    folder = DatasetFolder(directory)
    for path, rows in zip(folder.rows, (dataset.train, dataset.validation), strict=True):
        write_lines(path, records(rows, "messages"))
        for form in formats:
            if form != "messages":
                write_rows(rows, folder.formats / form / path.stem, form)
    about = About(format=FORMAT, config=dataset.config, summary=dataset.summary)
    replace_text(folder.about, about.model_dump_json(indent=2))
    return directory


def write_rows(rows: Iterable[Row], path: Path, form: Format) -> tuple[Path, Path]:
    """The rows in one form as path.jsonl and path.parquet. An empty part has an empty file and no columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = list(records(rows, form))
    lines, table = path.with_suffix(".jsonl"), path.with_suffix(".parquet")
    write_lines(lines, made)
    pl.DataFrame(made, infer_schema_length=None).write_parquet(table)
    return lines, table


def records(rows: Iterable[Row], form: Format) -> Iterator[dict[str, Any]]:
    return (record for row in rows for record in format_row(row, form))


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def read_about(directory: Path) -> tuple[DatasetConfig, Summary]:
    """How the dataset in this folder was made and what it holds, without its rows. Raises ChatError."""
    try:
        text = DatasetFolder(directory).about.read_bytes()
        if int(json.loads(text).get("format", 1)) > FORMAT:
            raise ChatError(f"{directory.name} {NEWER}")
        about = About.model_validate_json(text)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ChatError(f"{directory.name} holds no dataset that can be read: make the dataset again.") from error
    return about.config, about.summary


def read_dataset(directory: Path) -> Dataset:
    """The dataset in this folder, as `write_dataset` left it (without the samples of what was dropped)."""
    config, summary = read_about(directory)
    try:
        train, validation = ([*read_lines(path)] for path in DatasetFolder(directory).rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ChatError(f"The rows in {directory.name} cannot be read: make the dataset again.") from error
    return Dataset(train, validation, config, summary)


def read_lines(path: Path) -> Iterator[Row]:
    # Not splitlines(): a message may hold U+2028, which JSON leaves as it is.
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            record = json.loads(line)
            yield Row(**{**record, "sent_at": datetime.fromisoformat(record["sent_at"])})
