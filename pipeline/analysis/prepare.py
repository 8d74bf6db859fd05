"""A chat made ready to be counted: measured once, then cut by dates and people as often as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from pipeline.analysis.languages import STRETCHES, judge
from pipeline.analysis.measures import measure
from pipeline.analysis.words import Tokens, tokenise
from pipeline.errors import ChatError
from pipeline.turns import find_silence, new_session, spoken

__all__ = ["Prepared", "load", "prepare", "save", "select"]

TABLES = ("messages", "turns", "emoji", "laughs", "stretches")
FEW_MESSAGES = 10_000  # read for their words anew when a part of the chat is chosen


@dataclass(frozen=True)
class Prepared:
    """What the tables are counted from; system lines are left out.

    `messages`: one row a message in file order: row UInt32, sent_at Datetime, person Enum, kind, text (null unless
    kind is text), edited, gap Int64 (seconds since the message before, null first), before Enum (who sent that one),
    new_session and new_turn Boolean, and the columns of `measure`.
    `turns`: session, turn UInt32, person, started_at, ended_at, gap Int64 (seconds), before, opens and closes (first
    and last of its session), bubbles, texts (of text that is more than a link), words, chars UInt32.
    `emoji` and `laughs`: one row an emoji used, or a message and form of laughter: row, sent_at, person, emoji or form.
    `stretches`: of text, with the language each is in (`judge`).
    `tokens`: the words of an even sample of the messages. `people`: senders, most messages first.
    `to_the_minute`: the file has no seconds.
    """

    messages: pl.DataFrame
    turns: pl.DataFrame
    emoji: pl.DataFrame
    laughs: pl.DataFrame
    stretches: pl.DataFrame
    tokens: Tokens
    people: tuple[str, ...]
    silence: timedelta
    to_the_minute: bool


def prepare(messages: pl.DataFrame, silence: timedelta | None = None) -> Prepared:
    """Measure every message of a chat (`pipeline.messages.SCHEMA`); `silence` ends a session (None: the chat's own).

    Raises ChatError where nobody wrote anything.
    """
    said = spoken(messages)
    if not said.height:
        raise ChatError("Nobody wrote anything in this chat: export one with messages in it.")
    cut = find_silence(messages) if silence is None else silence
    people = _people(said)
    person = pl.Enum(list(people))
    rows = said.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        "sent_at",
        pl.col("sender").cast(person).alias("person"),
        "kind",
        pl.when(pl.col("kind").cast(pl.String) == "text").then("text").alias("text"),
        "edited",
        pl.col("gap").dt.total_seconds().clip(lower_bound=0).alias("gap"),
        pl.col("sender").shift().cast(person).alias("before"),
        new_session(cut).cast(pl.Boolean).alias("new_session"),
    ).with_columns(
        (pl.col("new_session") | pl.col("person").ne_missing(pl.col("before"))).alias("new_turn"),
    )
    rows, emoji, laughs = measure(rows)
    to_the_minute = bool(rows.select((pl.col("sent_at").dt.second() == 0).all()).item()) and rows.height > 1
    return Prepared(rows, _turns(rows), emoji, laughs, judge(rows), tokenise(rows), people, cut, to_the_minute)


def select(
    prepared: Prepared,
    since: date | None = None,
    until: date | None = None,
    people: Sequence[str] | None = None,
) -> Prepared:
    """The part of a chat between two days (both included) that these people wrote; sessions stay as the chat had them.

    Raises ChatError where nothing is left.
    """
    if since is None and until is None and not people:
        return prepared
    names = list(prepared.people if not people else [name for name in prepared.people if name in set(people)])

    def keep(frame: pl.DataFrame, column: str) -> pl.DataFrame:
        wanted = []
        if since is not None:
            wanted.append(pl.col(column) >= datetime.combine(since, time.min))
        if until is not None:
            wanted.append(pl.col(column) < datetime.combine(until + timedelta(days=1), time.min))
        if len(names) < len(prepared.people):
            wanted.append(pl.col("person").is_in(names))
        return frame.filter(*wanted) if wanted else frame

    messages = keep(prepared.messages, "sent_at")
    if not messages.height:
        raise ChatError("Nobody of these people wrote anything on these days: widen the dates or choose more people.")
    if messages.height <= FEW_MESSAGES:  # the whole chat's sample may hold next to nothing of them
        tokens = tokenise(messages)
    else:
        tokens = replace(prepared.tokens, words=keep(prepared.tokens.words, "sent_at"))
    stretches = keep(prepared.stretches, "sent_at")
    if stretches.height < STRETCHES // 4:
        stretches = judge(messages)
    counted = messages["person"].value_counts()
    count = {str(name): number for name, number in counted.iter_rows()}
    return replace(
        prepared,
        messages=messages,
        turns=keep(prepared.turns, "started_at"),
        emoji=keep(prepared.emoji, "sent_at"),
        laughs=keep(prepared.laughs, "sent_at"),
        stretches=stretches,
        tokens=tokens,
        people=tuple(sorted((name for name in names if name in count), key=lambda name: (-count[name], name))),
    )


def save(prepared: Prepared, folder: Path) -> None:
    """Keep a prepared chat in a folder, so that a change of the dates need not measure it again."""
    tables = {name: getattr(prepared, name) for name in TABLES}
    tables |= {"words": prepared.tokens.words, "terms": prepared.tokens.terms}
    tables["about"] = pl.DataFrame(
        {
            "people": [list(prepared.people)],
            "silence": [prepared.silence],
            "to_the_minute": [prepared.to_the_minute],
            "every": [prepared.tokens.every],
        }
    )
    for name, table in tables.items():
        table.write_ipc(folder / f"{name}.arrow", compression="uncompressed")


def load(folder: Path) -> Prepared | None:
    """What `save` kept in a folder, or None."""
    names = (*TABLES, "words", "terms", "about")
    try:
        tables = {name: pl.read_ipc(folder / f"{name}.arrow") for name in names}
    except FileNotFoundError:
        return None
    row = tables["about"].row(0, named=True)
    return Prepared(
        **{name: tables[name] for name in TABLES},
        tokens=Tokens(tables["words"], tables["terms"], row["every"]),
        people=tuple(row["people"]),
        silence=row["silence"],
        to_the_minute=row["to_the_minute"],
    )


def _people(said: pl.DataFrame) -> tuple[str, ...]:
    counted = said["sender"].value_counts().sort(["count", "sender"], descending=[True, False])
    return tuple(counted["sender"].to_list())


def _turns(rows: pl.DataFrame) -> pl.DataFrame:
    """Turns out of their first rows: running sums at two starts give what lies between, with no grouping."""
    sums = rows.select(
        "row",
        "sent_at",
        "person",
        "gap",
        "before",
        "new_session",
        "new_turn",
        pl.col("sent_at").shift(1).alias("sent_before"),
        *(
            (amount.cum_sum() - amount).alias(name)
            for name, amount in {
                "texts": (~pl.col("only_link")).fill_null(value=False).cast(pl.UInt32),
                "words": pl.col("words").fill_null(0),
                "chars": pl.col("chars").fill_null(0),
            }.items()
        ),
    ).filter("new_turn")
    totals = {
        "row": rows.height,
        "texts": (~rows["only_link"]).sum(),
        "words": rows["words"].sum(),
        "chars": rows["chars"].sum(),
    }
    names = {"row": "bubbles"}
    spans = [
        (pl.col(name).shift(-1, fill_value=total) - pl.col(name)).cast(pl.UInt32).alias(names.get(name, name))
        for name, total in totals.items()
    ]
    return sums.select(
        (pl.col("new_session").cast(pl.UInt32).cum_sum() - 1).alias("session"),
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("turn"),
        "person",
        pl.col("sent_at").alias("started_at"),
        pl.col("sent_before").shift(-1, fill_value=rows["sent_at"][-1]).alias("ended_at"),
        "gap",
        "before",
        pl.col("new_session").alias("opens"),
        pl.col("new_session").shift(-1, fill_value=True).alias("closes"),
        *spans,
    )
