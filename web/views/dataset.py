"""A dataset as the page shows it: what will be learned, a row as a chat and as tokens, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pipeline.charts import FIRST as PEOPLE
from web.bubbles import conversation

if TYPE_CHECKING:
    from pipeline.dataset import Dataset, Dropped, Preview, Row

__all__ = ["always_left_out", "dataset_verdict", "row_as_chat", "row_as_tokens", "why_left_out"]

SAMPLES = 3  # of a filter
CHARACTERS = 70  # of a sample


def dataset_verdict(dataset: Dataset, will: str) -> str:
    """What is learned of whom, in a sentence and figures; `will`: "would learn" or "will learn"."""
    from pipeline.charts import silence_name

    summary, config = dataset.summary, dataset.config
    others = " and ".join(summary.others[:3]) if len(summary.others) <= 3 else f"{len(summary.others)} others"
    hints = "".join(f'<p class="quiet">{escape(hint)}</p>' for hint in summary.hints)
    figures = (
        (f"{summary.train_replies:,}", "replies to learn from"),
        (f"{summary.validation_replies:,}", "held out for the exam"),
        (f"{summary.sessions:,}", "conversations"),
        (silence_name(60 * summary.silence_minutes), "of silence end one"),
        (f"{summary.train_tokens:,}", "tokens" if summary.tokenizer else "tokens, about"),
    )
    cells = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in figures)
    return (
        f'<p class="lead" dir="auto">The model {will} how {escape(config.person)} answers {escape(others)}.</p>'
        f'<div class="figures">{cells}</div>{hints}'
    )


def row_as_chat(row: Row, number: int, of: int) -> str:
    """A row as bubbles, what is learned tinted; `number` from 1."""
    when = f"{row.sent_at:%d %B %Y, %H:%M}".lstrip("0")
    head = f"Row {number:,} of {of:,} · {when} · {row.tokens:,} tokens. "
    chat = conversation(row.messages, twin=PEOPLE[0], learn_from=row.learn_from)
    return f'<p class="quiet">{head}Tinted: what the model learns. Grey: what it reads.</p>{chat}'


def row_as_tokens(row: Preview) -> str:
    """A row as the starter model reads it, what is learned tinted."""
    tags = ((token, "mark" if token.learned else "span") for token in row.tokens)
    spans = "".join(f"<{tag}>{escape(token.text)}</{tag}>" for token, tag in tags)
    said = (
        f"{row.token_count:,} tokens as the starter model reads them; it learns the {row.learned_count:,} that are "
        "tinted: the replies, and where each ends."
    )
    return f'<p class="quiet">{said}</p><div class="tokens" dir="auto" style="--person:{PEOPLE[0]}">{spans}</div>'


def why_left_out(reason: str, samples: Sequence[str]) -> str:
    """Why a filter leaves something out, and some of it."""
    return f'<p class="quiet">{escape(reason)}</p>{_samples(samples)}'


def always_left_out(dropped: Sequence[Dropped]) -> str:
    """What no switch keeps in."""
    rows = "".join(
        f'<div class="filter"><p class="counted"><b>{one.count:,}</b>{escape(one.reason)}</p>'
        f"{_samples(one.samples)}</div>"
        for one in dropped
    )
    return f'<p class="always">Always left out</p>{rows}' if rows else ""


def _samples(samples: Sequence[str]) -> str:
    quotes = "".join(
        f'<q dir="auto">{escape(text[:CHARACTERS])}{"…" * (len(text) > CHARACTERS)}</q>' for text in samples[:SAMPLES]
    )
    return f'<div class="samples">{quotes}</div>' if quotes else ""
