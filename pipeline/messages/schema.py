"""The table of messages, and what is known about the file it came from."""

from dataclasses import dataclass
from typing import Any

import polars as pl

__all__ = ["KINDS", "SCHEMA", "Chat", "Layout", "empty_messages", "people"]

KINDS = ("text", "media", "system", "deleted", "call", "poll", "location", "contact", "event")

SCHEMA: dict[str, Any] = {
    "sent_at": pl.Datetime("us"),  # naive local time, as the phone wrote it; the zone is not in the file
    "sender": pl.String,  # null: a line of the app itself
    "text": pl.String,  # as written; without the app's own direction mark in front and its edited mark behind
    "kind": pl.Enum(KINDS),
    "attachment": pl.String,  # file name
    "edited": pl.Boolean,
    "detail": pl.String,  # which media (image, video, ...), which system line (added, left, ...), else null
}


@dataclass(frozen=True)
class Layout:
    """How a file was read, and on what evidence.

    `certain` is False where the file itself cannot tell when its messages were sent (day from month, say); `evidence`
    says why, strongest first, in sentences for the user. What follows is None where a source has no such thing.
    """

    source: str  # the name of one of pipeline.sources' registry
    certain: bool
    evidence: tuple[str, ...]
    header: str | None = None  # of each message in a text, by an example: "[dd.mm.yy, HH:MM:SS]"
    date_order: str | None = None  # dmy, mdy, ymd; also ydm, myd, dym where the file forces them
    clock: int | None = None  # 24 or 12 hours
    calendar: str | None = None  # gregorian, buddhist, solar hijri, islamic, minguo
    language: str | None = None  # of the app's own lines, where they tell
    stray_lines: int = 0  # lines in front of the first message, which belong to none


@dataclass(frozen=True)
class Chat:
    """One chat as read: its table (SCHEMA), how it was read, and what to call it."""

    messages: pl.DataFrame
    layout: Layout
    title: str


def empty_messages() -> pl.DataFrame:
    """A table of no messages."""
    return pl.DataFrame(schema=SCHEMA)


def people(messages: pl.DataFrame) -> list[str]:
    """The senders, those with most messages first; equal counts by name."""
    counts = messages.drop_nulls("sender").group_by("sender").len()
    return counts.sort(["len", "sender"], descending=[True, False])["sender"].to_list()
