"""Small chats to make datasets of."""

from datetime import datetime, timedelta

import polars as pl

from pipeline.messages import SCHEMA

START = datetime(2024, 3, 4, 18)  # a Monday


def chat(*lines: tuple) -> pl.DataFrame:
    """Messages from (minutes since the one before, sender, text) or (..., kind)."""
    at, rows = START, []
    for minutes, sender, text, *kind in lines:
        at += timedelta(minutes=minutes)
        rows.append((at, sender, text, kind[0] if kind else "text", None, False, None))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def talk(count: int, *, every: int = 10, names: tuple[str, ...] = ("Bob",), words: str = "") -> list[tuple]:
    """`count` exchanges, each of the others in turn and then Ann's reply; a new session after every `every`-th."""
    lines = []
    for i in range(count):
        gap = 600 if i and i % every == 0 else 1
        lines += [
            (gap, names[i % len(names)], f"question {i} {words}".strip()),
            (1, "Ann", f"reply {i} {words}".strip()),
        ]
    return lines
