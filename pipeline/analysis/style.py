"""How somebody writes: the fingerprint, of people in a chat and of any list of turns (a twin's replies) alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import polars as pl

from pipeline.analysis.measures import measure

__all__ = [
    "BUBBLE_BINS",
    "FEATURES",
    "LENGTH_BINS",
    "bubble_histogram",
    "fingerprint",
    "fingerprints",
    "length_histogram",
]

# The features of a fingerprint and what they say; shares are of a person's text messages unless said otherwise.
FEATURES: dict[str, str] = {
    "words_per_message": "words a message",
    "chars_median": "characters in the middle message",
    "bubbles_per_turn": "messages a turn",
    "words_per_turn": "words a turn",
    "several_bubbles": "turns of several messages",
    "emoji_per_100": "emoji per 100 messages",
    "with_emoji": "messages with an emoji",
    "laugh": "messages that laugh",
    "question": "messages with a question",
    "exclaim": "messages with an exclamation mark",
    "stop": "messages that end in a full stop",
    "ellipsis": "messages with dots (...)",
    "lower": "messages that begin in lower case",
    "shout": "messages in capitals",
    "link": "messages with a link",
    "media": "photos, voice and files, of all messages",
    "edited": "edited, of all messages",
    "deleted": "deleted, of all messages",
}
MARKS = ("laugh", "question", "exclaim", "stop", "ellipsis", "shout", "link")

LENGTH_BINS: tuple[tuple[int, str], ...] = (
    (1, "1"),
    (2, "2"),
    (3, "3"),
    (5, "4–5"),
    (8, "6–8"),
    (13, "9–13"),
    (21, "14–21"),
    (34, "22–34"),
    (10**9, "35 and more"),
)
BUBBLE_BINS: tuple[tuple[int, str], ...] = ((1, "1"), (2, "2"), (3, "3"), (4, "4"), (10**9, "5 and more"))


def fingerprints(messages: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """One row a person: `texts` and `turns` counted, and `FEATURES` (shares from 0 to 1; null where undefined)."""
    kind = pl.col("kind").cast(pl.String)
    written = messages.group_by("person").agg(
        pl.col("text").is_not_null().sum().alias("texts"),
        pl.col("words").mean().alias("words_per_message"),
        pl.col("chars").median().alias("chars_median"),
        (100 * pl.col("emoji").mean()).alias("emoji_per_100"),
        (pl.col("emoji") > 0).mean().alias("with_emoji"),
        *(pl.col(name).mean() for name in MARKS),
        # Scripts without capitals have neither; the share is of messages that begin with a letter that has case.
        (pl.col("lower").sum() / (pl.col("lower") | pl.col("upper")).sum()).alias("lower"),
        (kind == "media").mean().alias("media"),
        pl.col("edited").mean().alias("edited"),
        (kind == "deleted").mean().alias("deleted"),
    )
    spoken = turns.group_by("person").agg(
        pl.len().alias("turns"),
        pl.col("bubbles").mean().alias("bubbles_per_turn"),
        (pl.col("bubbles") > 1).mean().alias("several_bubbles"),
        pl.col("words").filter(pl.col("texts") > 0).mean().alias("words_per_turn"),
    )
    features = [pl.col(name).cast(pl.Float64).fill_nan(None) for name in FEATURES]
    return (
        written.join(spoken, on="person", how="left")
        .select("person", "texts", pl.col("turns").fill_null(0), *features)
        .sort("person")
    )


def fingerprint(turns: Sequence[Sequence[str]]) -> dict[str, float | None]:
    """The fingerprint of a list of turns, each a list of bubbles (text messages); None where a feature is undefined."""
    bubbles = [text for turn in turns for text in turn]
    person = pl.Enum(["one"])
    written = pl.DataFrame({"text": bubbles}, schema={"text": pl.String}).with_row_index("row")
    rows, _, _ = measure(
        written.with_columns(
            pl.lit("one").cast(person).alias("person"),
            pl.lit("text").alias("kind"),
            pl.lit(value=False).alias("edited"),
            pl.lit(datetime(2000, 1, 1)).alias("sent_at"),
        )
    )
    ends = [0]
    for turn in turns:
        ends.append(ends[-1] + len(turn))
    words = rows["words"].to_list()
    spoken = pl.DataFrame(
        {
            "bubbles": [len(turn) for turn in turns],
            "texts": [len(turn) for turn in turns],
            "words": [sum(words[start:end]) for start, end in pairwise(ends)],
        },
        schema={"bubbles": pl.UInt32, "texts": pl.UInt32, "words": pl.UInt32},
    ).with_columns(pl.lit("one").cast(person).alias("person"))
    if not rows.height:
        return dict.fromkeys(FEATURES)
    row = fingerprints(rows, spoken).row(0, named=True)
    return {name: row[name] for name in FEATURES}


def length_histogram(messages: pl.DataFrame) -> pl.DataFrame:
    """Text messages by their number of words: person, bin, label, messages, share (of the person's)."""
    return _histogram(messages.filter(pl.col("words") > 0), "words", LENGTH_BINS, "messages")


def bubble_histogram(turns: pl.DataFrame) -> pl.DataFrame:
    """Turns by their number of messages: person, bin, label, turns, share (of the person's)."""
    return _histogram(turns, "bubbles", BUBBLE_BINS, "turns")


def _histogram(frame: pl.DataFrame, column: str, bins: tuple[tuple[int, str], ...], count: str) -> pl.DataFrame:
    place = pl.Series("bin", [edge for edge, _ in bins[:-1]]).search_sorted(frame[column], side="left").cast(pl.UInt8)
    return (
        frame.select("person", place.alias("bin"))
        .group_by("person", "bin")
        .agg(pl.len().alias(count))
        .with_columns(
            pl.col("bin")
            .replace_strict(list(range(len(bins))), [label for _, label in bins], return_dtype=pl.String)
            .alias("label"),
            (pl.col(count) / pl.col(count).sum().over("person")).alias("share"),
        )
        .sort("person", "bin")
    )
