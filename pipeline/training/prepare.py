"""A dataset's folder as what a model learns from: rows as token ids."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.models import load_tokenizer
from pipeline.planning import DatasetShape, TrainingConfig, longest_row, shape_of
from pipeline.prompt import Template, read_template
from pipeline.training.data import Example, encode_rows, learned_text, without_repeats

__all__ = ["Prepared", "estimate_shape", "prepare", "train_examples"]

VALIDATION_TOKENS = 24_000  # enough for a loss that is good to a few thousandths; more only takes time


@dataclass(frozen=True)
class Prepared:
    """What is to be learned from and what is held out, as token ids, and the template that made them so."""

    tokenizer: Any
    template: Template
    train: list[Example]
    validation: list[Example]

    @property
    def shape(self) -> DatasetShape:
        """What a plan has to know of it."""
        return DatasetShape(tuple(len(example.ids) for example in self.train))


def prepare(dataset_dir: Path, config: TrainingConfig) -> Prepared:
    """The dataset as this configuration learns from it. Raises ChatError where there is nothing to learn."""
    from pipeline.dataset import read_dataset

    tokenizer = load_tokenizer(config.model)
    template = read_template(tokenizer)
    train = train_examples(dataset_dir, config, tokenizer)
    learned_text(train, tokenizer)
    longest = longest_row(shape_of(config.model), config.max_tokens)
    validation = encode_rows(read_dataset(dataset_dir).validation, template, tokenizer, longest)
    kept: list[Example] = []
    tokens = 0
    for example in validation:
        tokens += len(example.ids)
        if kept and tokens > VALIDATION_TOKENS:
            break
        kept.append(example)
    return Prepared(tokenizer, template, train, kept)


def train_examples(dataset_dir: Path, config: TrainingConfig, tokenizer: Any) -> list[Example]:
    """The rows that are learned from, as this model's tokenizer has them. Raises ChatError."""
    from pipeline.dataset import read_dataset

    rows = read_dataset(dataset_dir).train
    rows = rows if config.repeat_context else without_repeats(rows)
    longest = longest_row(shape_of(config.model), config.max_tokens)
    return encode_rows(rows, read_template(tokenizer), tokenizer, longest, config.learn)


def estimate_shape(dataset_dir: Path, config: TrainingConfig) -> DatasetShape:
    """The same rows by the count that the dataset was made with, where the model's tokenizer is not at hand."""
    from pipeline.dataset import read_dataset

    whole = read_dataset(dataset_dir).train
    rows = whole if config.repeat_context else without_repeats(whole)
    longest = longest_row(shape_of(config.model), config.max_tokens)

    def letters(row: Any) -> int:
        return sum(len(message["content"]) for message in row.messages)

    shares = (letters(kept) / max(1, letters(row)) for row, kept in zip(whole, rows, strict=True))
    lengths = (round(row.tokens * share) for row, share in zip(whole, shares, strict=True))
    return DatasetShape(tuple(min(max(2, length), longest) for length in lengths), estimated=True)
