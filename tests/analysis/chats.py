"""Small chats to count by hand, written as lines: "01 10:00:00 Ann: text" (a day of January 2024, a Monday first)."""

import re
from datetime import datetime

import polars as pl

from pipeline.messages import SCHEMA

__all__ = ["TWO", "chat", "known"]

MARKS = {"<media>": "media", "<deleted>": "deleted", "<system>": "system"}


def chat(lines: str) -> pl.DataFrame:
    """The messages of lines; <media>, <deleted> and <system> are of that kind, <edited> at the end is a mark."""
    rows = []
    for line in lines.strip().splitlines():
        found = re.match(r"\s*(\d\d) (\d\d):(\d\d)(?::(\d\d))? (.*?): (.*)$", line)
        assert found, line
        day, hour, minute, second, name, text = found.groups()
        kind = MARKS.get(text, "text")
        edited = text.endswith("<edited>")
        rows.append({
            "sent_at": datetime(2024, 1, int(day), int(hour), int(minute), int(second or 0)),
            "sender": None if kind == "system" else name, "text": text.removesuffix("<edited>").rstrip(), "kind": kind,
            "attachment": None, "edited": edited,
        })  # fmt: skip
    table = pl.DataFrame(rows, schema={name: SCHEMA[name] for name in rows[0]})
    return table.with_columns(pl.lit(None, kind).alias(name) for name, kind in SCHEMA.items() if name not in rows[0])


def known(table: pl.DataFrame, *columns: str) -> list[tuple]:
    """The rows of a table as tuples."""
    return table.select(columns).rows()


# Two conversations on Monday 1 January and one on Wednesday 3 January; the silence that ends one is an hour.
#   1: Ann starts; Ben answers after 60 s; Ann after 30 s (two bubbles); Ben after 120 s and has the last word
#   2: Ben starts; Ann answers after 10 s, has the last word, and 90 minutes later writes again: conversation 3
#   4 (Wednesday): Ann starts, nobody answers
TWO = chat(
    """
    01 10:00:00 Ann: Good morning Ben! How are you?
    01 10:01:00 Ben: fine. and you?
    01 10:01:30 Ann: great 😂😂
    01 10:01:40 Ann: haha
    01 10:03:40 Ben: <media>
    01 10:03:50 X: <system>
    01 20:00:00 Ben: see https://example.org/a
    01 20:00:10 Ann: OK THANKS
    01 21:30:10 Ann: are you there... <edited>
    03 10:15:00 Ann: <deleted>
    """
)
