"""What is found: moments, which are a few messages in a row with a little before and after."""

import hashlib
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from pipeline.turns import spoken

__all__ = ["MOMENT_MESSAGES", "Moment", "Said", "Spans", "remembered", "spans"]

# A moment begins at every fourth message and is eight long, so that each message stands in one with some before it and
# in one with some after it. Windows of eight found most (benchmarks/README.md, "Retrieval").
EVERY, AROUND = 4, 2
MOMENT_MESSAGES = EVERY + 2 * AROUND
# A night. Shorter silences do not part what was asked from what was answered.
SILENCE = timedelta(hours=6)

SAID: dict[str, Any] = {
    "chat": pl.String,
    "row": pl.UInt32,  # the message's place in the chat's own table
    "sent_at": pl.Datetime("us"),
    "sender": pl.String,
    "text": pl.String,
}


@dataclass(frozen=True, repr=False)  # what was said belongs in no error message
class Said:
    """A message of a moment, as it was written; `row` is its place in the chat's table."""

    row: int
    sent_at: datetime
    sender: str
    text: str


@dataclass(frozen=True)
class Moment:
    """A few messages in a row of one chat, in order; `key` is the same for as long as these messages are."""

    key: str
    chat: str
    messages: tuple[Said, ...]
    score: float


@dataclass(frozen=True)
class Spans:
    """Moments as places in the table of `remembered`: `first` to `last`, with the four from `core` on in the middle.

    `keys`: what is the same for as long as a moment's messages are.
    """

    core: list[int]
    first: list[int]
    last: list[int]  # the last message, included
    keys: list[str]


def remembered(chats: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """What people wrote in these chats (title to messages), one row a message: chat, row, sent_at, sender, text."""
    tables = [
        spoken(messages.with_row_index("row"))
        .filter(pl.col("kind").cast(pl.String) == "text", pl.col("text").str.strip_chars() != "")
        .select(pl.lit(title).alias("chat"), "row", "sent_at", "sender", "text")
        for title, messages in chats.items()
    ]
    return pl.concat([pl.DataFrame(schema=SAID), *tables])


def spans(said: pl.DataFrame) -> Spans:
    """The moments of what was said; none runs over a long silence or from one chat into another."""
    breaks = said.select(
        ((pl.col("chat") != pl.col("chat").shift()) | (pl.col("sent_at").diff().abs() > SILENCE)).fill_null(True)
    ).to_series()
    starts = [*breaks.arg_true().to_list(), said.height]
    texts, senders, times = (said[name].to_list() for name in ("text", "sender", "sent_at"))
    found = Spans([], [], [], [])
    for start, end in itertools.pairwise(starts):
        for at in range(start, end, EVERY):
            first, last = max(start, at - AROUND), min(end, at + EVERY + AROUND) - 1
            if at > start and end - at <= AROUND:
                break  # the moment before this one reaches to the end as well
            found.core.append(at)
            found.first.append(first)
            found.last.append(last)
            content = "\0".join(f"{times[i]:%Y%m%d%H%M%S}{senders[i]}\0{texts[i]}" for i in range(first, last + 1))
            found.keys.append(hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=12).hexdigest())
    return found
