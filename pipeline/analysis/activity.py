"""Who wrote, how much and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import polars as pl

__all__ = ["Bucket", "Head", "choose_bucket", "head", "per_person", "silences", "streaks", "volume", "week"]

Bucket = Literal["day", "week", "month"]
EVERY: dict[Bucket, str] = {"day": "1d", "week": "1w", "month": "1mo"}


@dataclass(frozen=True)
class Head:
    """The head figures. `days` counts the calendar days from first to last, `active_days` those with a message."""

    messages: int
    people: int
    words: int
    first: datetime
    last: datetime
    days: int
    active_days: int
    media: int


def head(messages: pl.DataFrame) -> Head:
    """The head figures of prepared messages (at least one)."""
    row = messages.select(
        messages=pl.len(),
        people=pl.col("person").n_unique(),
        words=pl.col("words").sum(),
        first=pl.col("sent_at").min(),
        last=pl.col("sent_at").max(),
        active_days=pl.col("sent_at").dt.date().n_unique(),
        media=_is("media").sum(),
    ).row(0, named=True)
    return Head(days=(row["last"].date() - row["first"].date()).days + 1, **row)


def per_person(messages: pl.DataFrame) -> pl.DataFrame:
    """One row a person, most messages first: messages, share, words, media, links, active_days, first, last."""
    return (
        messages.group_by("person")
        .agg(
            pl.len().alias("messages"),
            pl.col("words").sum(),
            _is("media").sum().alias("media"),
            pl.col("link").sum().alias("links"),
            pl.col("sent_at").dt.date().n_unique().alias("active_days"),
            pl.col("sent_at").min().alias("first"),
            pl.col("sent_at").max().alias("last"),
        )
        .with_columns((pl.col("messages") / pl.col("messages").sum()).alias("share"))
        .sort("messages", pl.col("person").cast(pl.String), descending=[True, False])
    )


def choose_bucket(first: date, last: date) -> Bucket:
    """Days for up to three months, weeks for up to three years, then months: some 20 to 160 columns in a chart."""
    days = (last - first).days + 1
    if days <= 92:
        return "day"
    return "week" if days <= 3 * 366 else "month"


def volume(messages: pl.DataFrame, bucket: Bucket) -> pl.DataFrame:
    """Messages per bucket and person: start Date, person, messages; silence has no row."""
    return (
        messages.group_by(pl.col("sent_at").dt.truncate(EVERY[bucket]).dt.date().alias("start"), "person")
        .agg(pl.len().alias("messages"))
        .sort("start", "person")
    )


def week(messages: pl.DataFrame) -> pl.DataFrame:
    """Messages by weekday (1 Monday to 7), hour (0 to 23) and person; hours with none have no row."""
    return (
        messages.group_by(
            pl.col("sent_at").dt.weekday().alias("weekday"), pl.col("sent_at").dt.hour().alias("hour"), "person"
        )
        .agg(pl.len().alias("messages"))
        .sort("weekday", "hour", "person")
    )


def silences(messages: pl.DataFrame, most: int = 5) -> pl.DataFrame:
    """The longest times without a message from anyone: since, until Datetime, seconds, last, broken_by.

    Give it the messages of everybody: with some left out there is no silence to speak of.
    """
    return (
        messages.select(
            pl.col("sent_at").shift().alias("since"),
            pl.col("sent_at").alias("until"),
            pl.col("gap").alias("seconds"),
            pl.col("before").alias("last"),
            pl.col("person").alias("broken_by"),
        )
        .slice(1)
        .filter(pl.col("seconds") >= pl.col("seconds").top_k(most).min())  # of equals the earliest are kept, below
        .sort("seconds", "until", descending=[True, False], maintain_order=True)
        .head(most)
    )


def streaks(messages: pl.DataFrame, most: int = 5) -> pl.DataFrame:
    """The longest runs of days in a row with a message: since, until Date, days, messages."""
    day = pl.col("day")
    return (
        messages.group_by(pl.col("sent_at").dt.date().alias("day"))
        .agg(pl.len().alias("messages"))
        .sort("day")
        .with_columns((day.diff().dt.total_days() != 1).fill_null(value=True).cum_sum().alias("run"))
        .group_by("run")
        .agg(day.min().alias("since"), day.max().alias("until"), pl.len().alias("days"), pl.col("messages").sum())
        .sort("days", "since", descending=[True, False])
        .drop("run")
        .head(most)
    )


def _is(kind: str) -> pl.Expr:
    return pl.col("kind").cast(pl.String) == kind
