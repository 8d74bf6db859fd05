"""Rows as a person and as the model will see them, and how long they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

import polars as pl

from pipeline.dataset.config import Dataset, Row
from pipeline.prompt import Encoded, encode_all, read_template, split_bubbles

__all__ = ["Bubble", "Preview", "Token", "preview_rows", "token_histogram"]

BROKEN = "\ufffd"  # what a tokenizer decodes half a character to


@dataclass(frozen=True)
class Bubble:
    """One bubble of a row, as it looks in a chat."""

    role: Literal["system", "user", "assistant"]
    text: str
    learned: bool


@dataclass(frozen=True)
class Token:
    """One token's text (or that of several which only together are a character), and whether it is learned."""

    text: str
    learned: bool


@dataclass(frozen=True)
class Preview:
    """A row as bubbles, and as the tokens that the model will see."""

    session: int
    sent_at: datetime
    bubbles: list[Bubble]
    tokens: list[Token]
    token_count: int
    learned_count: int


def preview_rows(rows: Sequence[Row], tokenizer: Any, count: int = 3) -> list[Preview]:
    """`count` rows, evenly over the dataset, through the tokenizer and its own chat template."""
    picked = [rows[place * len(rows) // min(count, len(rows))] for place in range(min(count, len(rows)))]
    encoded = encode_all(read_template(tokenizer), tokenizer, [(row.messages, row.learn_from) for row in picked])
    return [
        Preview(
            session=row.session,
            sent_at=row.sent_at,
            bubbles=list(row_bubbles(row)),
            tokens=list(row_tokens(one, tokenizer)),
            token_count=len(one.ids),
            learned_count=sum(one.learned),
        )
        for row, one in zip(picked, encoded, strict=True)
    ]


def row_bubbles(row: Row) -> Iterator[Bubble]:
    for index, message in enumerate(row.messages):
        learned = message["role"] == "assistant" and index >= row.learn_from
        texts = [message["content"]] if message["role"] == "system" else split_bubbles(message["content"])
        yield from (Bubble(message["role"], text, learned) for text in texts)


def row_tokens(encoded: Encoded, tokenizer: Any) -> Iterator[Token]:
    pending: list[int] = []
    for place, (token_id, learned) in enumerate(zip(encoded.ids, encoded.learned, strict=True)):
        pending.append(token_id)
        text = tokenizer.decode(pending, clean_up_tokenization_spaces=False)
        last = place + 1 == len(encoded.ids) or encoded.learned[place + 1] != learned
        if BROKEN not in text or last:
            yield Token(text, learned)
            pending = []


def token_histogram(dataset: Dataset, bins: int = 16) -> pl.DataFrame:
    """How long the rows are: from, to (tokens, to excluded), train, validation (rows), up to the config's window."""
    longest = max([dataset.config.max_tokens, *(row.tokens for row in (*dataset.train, *dataset.validation))])
    width = -(-(longest + 1) // bins)
    edges = [width * place for place in range(bins + 1)]
    return pl.DataFrame(
        [
            (
                low,
                high,
                *(sum(low <= row.tokens < high for row in rows) for rows in (dataset.train, dataset.validation)),
            )
            for low, high in pairwise(edges)
        ],
        schema={"from": pl.UInt32, "to": pl.UInt32, "train": pl.UInt32, "validation": pl.UInt32},
        orient="row",
    )
