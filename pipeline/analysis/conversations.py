"""Who starts, who ends, who answers whom, and how fast."""

from __future__ import annotations

import polars as pl

from pipeline.analysis.activity import EVERY, Bucket

__all__ = [
    "DOUBLE_TEXT",
    "FEWEST_REPLIES",
    "REPLY_BINS",
    "answers",
    "reply_histogram",
    "reply_times",
    "reply_trend",
    "starts",
]

DOUBLE_TEXT = 10 * 60  # seconds of no answer after which the next message of the same person is a double text
FEWEST_REPLIES = 5  # a median of fewer says nothing about a month

# Upper edges in seconds and their names; what is longer is no reply but a new conversation.
REPLY_BINS: tuple[tuple[int, str], ...] = (
    (30, "under 30 s"),
    (60, "30–60 s"),
    (120, "1–2 min"),
    (300, "2–5 min"),
    (900, "5–15 min"),
    (1800, "15–30 min"),
    (3600, "30–60 min"),
    (10**9, "over 1 h"),
)


def starts(messages: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """One row a person: started and ended (sessions), turns, double_texts.

    A double text is a message sent after ten minutes or more in which nobody answered the same person's last one,
    whether or not a new session began meanwhile.
    """
    alone = messages.filter(pl.col("person") == pl.col("before"), pl.col("gap") >= DOUBLE_TEXT)
    doubles = alone.group_by("person").agg(pl.len().alias("double_texts"))
    counted = turns.group_by("person").agg(
        pl.col("opens").sum().alias("started"), pl.col("closes").sum().alias("ended"), pl.len().alias("turns")
    )
    return (
        counted.join(doubles, on="person", how="left").with_columns(pl.col("double_texts").fill_null(0)).sort("person")
    )


def replies(turns: pl.DataFrame) -> pl.DataFrame:
    """The turns that answer somebody: those that do not open a session. `gap` is then the time to reply in seconds."""
    return turns.filter(~pl.col("opens"))


def reply_times(turns: pl.DataFrame) -> pl.DataFrame:
    """One row a person: replies, median, quarter and three_quarters (seconds), within_minute and within_hour (shares).

    The time runs from the last message before the turn, and only within a session: a new conversation is no late reply.
    """
    gap = pl.col("gap")
    return (
        replies(turns)
        .group_by("person")
        .agg(
            pl.len().alias("replies"),
            gap.median().alias("median"),
            gap.quantile(0.25, "linear").alias("quarter"),
            gap.quantile(0.75, "linear").alias("three_quarters"),
            (gap <= 60).mean().alias("within_minute"),
            (gap <= 3600).mean().alias("within_hour"),
        )
        .sort("person")
    )


def reply_histogram(turns: pl.DataFrame) -> pl.DataFrame:
    """Replies per bin of `REPLY_BINS`: person, bin (its place), label, replies, share (of the person's replies)."""
    edges = [edge for edge, _ in REPLY_BINS[:-1]]
    labels = [label for _, label in REPLY_BINS]
    answered = replies(turns)
    place = pl.Series("bin", edges).search_sorted(answered["gap"], side="right").cast(pl.UInt8)
    return (
        answered.select("person", place.alias("bin"))
        .group_by("person", "bin")
        .agg(pl.len().alias("replies"))
        .with_columns(
            pl.col("bin").replace_strict(list(range(len(labels))), labels, return_dtype=pl.String).alias("label"),
            (pl.col("replies") / pl.col("replies").sum().over("person")).alias("share"),
        )
        .sort("person", "bin")
    )


def reply_trend(turns: pl.DataFrame, bucket: Bucket) -> pl.DataFrame:
    """The median time to reply over time: start Date, person, replies, median (s); five replies at least."""
    return (
        replies(turns)
        .group_by(pl.col("started_at").dt.truncate(EVERY[bucket]).dt.date().alias("start"), "person")
        .agg(pl.len().alias("replies"), pl.col("gap").median().alias("median"))
        .filter(pl.col("replies") >= FEWEST_REPLIES)
        .sort("start", "person")
    )


def answers(turns: pl.DataFrame) -> pl.DataFrame:
    """Who answers whom: person, to, replies, and expected (what chance would give for people who talk this much).

    A turn answers the person whose turn comes right before it in the session; a file holds no more than that.
    """
    pairs = replies(turns).group_by("person", pl.col("before").alias("to")).agg(pl.len().alias("replies"))
    if not pairs.height:
        return pairs.with_columns(pl.lit(0.0).alias("expected"))
    gives = pl.col("replies").sum().over("person")
    gets = pl.col("replies").sum().over("to")
    total = pl.col("replies").sum()
    # Nobody answers themself: a person's replies can only go to the others.
    own = pairs.group_by("to").agg(pl.col("replies").sum().alias("own"))
    return (
        pairs.join(own.rename({"to": "person"}), on="person", how="left")
        .with_columns((gives * gets / (total - pl.col("own").fill_null(0))).alias("expected"))
        .drop("own")
        .sort(["replies", "person", "to"], descending=[True, False, False])
    )
