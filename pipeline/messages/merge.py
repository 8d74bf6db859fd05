"""Several exports of one chat to one table, and two names of one person to one name."""

import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from pipeline.messages.schema import Chat, people
from pipeline.messages.titles import title_of

__all__ = ["likely_pairs", "merge", "merge_senders", "same_chat", "with_one_name"]

_MOST_NAMES = 200  # the most frequent are compared with each other
_MIN_SHARED = 3  # messages that two names must share before they are taken for one person
_KEY = ["_time", "sender", "_body", "_nth"]


def merge(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All messages of several exports of one chat, each once, by time; where one export says more, its row is kept.

    Two rows are one message if time (to the minute, where one export has no seconds), sender and text agree. A file
    that one export left out, and a message that one has deleted or edited, still agree. The same message twice in
    one export stays twice. Names that differ between two phones are made those of the first table.
    """
    merged = tables[0]
    for table in tables[1:]:
        merged = _merge_two(merged, table)
    return merged


def same_chat(first: pl.DataFrame, second: pl.DataFrame) -> bool:
    """Whether two exports are of one chat: they share a message, or most of the people of the smaller one.

    One shared person is not enough for two chats of two: the owner of the phone is in all of them.
    """
    a, b = (set(table["sender"].drop_nulls().unique()) for table in (first, second))
    shared, smaller = len(a & b), min(len(a), len(b))
    if shared == smaller or (shared > 1 and shared * 2 > smaller):
        return True
    minutes = _lacks_seconds(first) or _lacks_seconds(second)
    keys = [_with_key(table, minutes).filter(pl.col("text").str.len_chars() > 3) for table in (first, second)]
    return len(keys[0].join(keys[1], on=["_time", "_body"], how="semi")) > 0


def merge_senders(messages: pl.DataFrame, names: Sequence[str], into: str) -> pl.DataFrame:
    """The table with all of `names` called `into`: a contact who was renamed midway."""
    return messages.with_columns(
        sender=pl.when(pl.col("sender").is_in(list(names))).then(pl.lit(into)).otherwise("sender")
    )


def likely_pairs(messages: pl.DataFrame) -> list[tuple[str, str]]:
    """Pairs of names that may be one person, the rarer first; only a person can say whether they are.

    One name has all words of the other ("Ann", "Ann Smith"; "~ Tom", "Tom"), or the app says that a number changed.
    """
    names = people(messages)[:_MOST_NAMES]
    words = {name: set(re.findall(r"[^\W_]+", name.casefold())) for name in names}
    changed = messages.filter(pl.col("detail") == "number_changed")["text"].to_list()
    pairs = []
    for i, name in enumerate(names):
        for rarer in names[i + 1 :]:
            a, b = words[name], words[rarer]
            if (a and b and (a <= b or b <= a)) or any(name in line and rarer in line for line in changed):
                pairs.append((rarer, name))
    return pairs


def _merge_two(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    minutes = _lacks_seconds(first) or _lacks_seconds(second)
    second = _same_names(first, second, minutes)
    a, b = (_with_key(table, minutes) for table in (first, second))
    new = b.join(a, on=_KEY, how="anti", nulls_equal=True, maintain_order="left")
    both = a.join(
        b.select(*_KEY, pl.col("attachment").alias("_file")),
        on=_KEY,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    # Of a file that one export left out and the other named, keep the row with the name.
    richer = b.filter(pl.col("attachment").is_not_null()).select(*_KEY, text_b="text", detail_b="detail")
    both = both.join(richer, on=_KEY, how="left", nulls_equal=True, maintain_order="left")
    fills = pl.col("attachment").is_null() & pl.col("_file").is_not_null()
    both = both.with_columns(
        text=pl.when(fills).then("text_b").otherwise("text"),
        detail=pl.when(fills).then("detail_b").otherwise("detail"),
        attachment=pl.coalesce("attachment", "_file"),
    )
    both, new = _drop_shadows(both, new)
    return pl.concat([both.select(first.columns), new.select(first.columns)]).sort("sent_at", maintain_order=True)


def _lacks_seconds(table: pl.DataFrame) -> bool:
    return not (table["sent_at"].dt.second() != 0).any()


def _with_key(table: pl.DataFrame, minutes: bool) -> pl.DataFrame:
    """Adds what makes a message itself: its time, its text (only the kind of a file), which of equal ones it is."""
    time = pl.col("sent_at").dt.truncate("1m") if minutes else pl.col("sent_at")
    body = (
        pl.when(pl.col("kind").cast(pl.String).is_in(["media"]))
        .then(pl.lit("\0media"))
        .otherwise(pl.col("text").str.strip_chars())
    )
    table = table.with_columns(_time=time, _body=body)
    return table.with_columns(_nth=pl.int_range(pl.len()).over("_time", "sender", "_body"))


def _drop_shadows(both: pl.DataFrame, new: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A message that one export has and the other has deleted or edited is two rows: keep the text."""
    place = ["_time", "sender"]
    for kept, other in ((both, new), (new, both)):
        gone = pl.col("kind").cast(pl.String) == "deleted"
        shadows = other.filter(gone).join(kept.filter(~gone), on=place, how="semi", nulls_equal=True)
        alone = other.filter(gone).join(kept.filter(gone), on=place, how="anti", nulls_equal=True)
        drop = shadows.join(alone, on=_KEY, how="semi", nulls_equal=True)
        older = other.filter(~pl.col("edited")).join(
            kept.filter("edited").join(other.filter("edited"), on=_KEY, how="anti", nulls_equal=True),
            on=place,
            how="semi",
        )
        drop = pl.concat([drop.select(_KEY), older.filter(pl.col("kind").cast(pl.String) == "text").select(_KEY)])
        pruned = other.join(drop, on=_KEY, how="anti", nulls_equal=True, maintain_order="left")
        both, new = (both, pruned) if other is new else (pruned, new)
    return both, new


def _same_names(first: pl.DataFrame, second: pl.DataFrame, minutes: bool) -> pl.DataFrame:
    """The second table in the names of the first, where messages of the same time and text show who is who."""
    known = set(first["sender"].drop_nulls().unique())
    strangers = [name for name in second["sender"].drop_nulls().unique() if name not in known]
    if not strangers:
        return second
    a, b = (_with_key(table, minutes).filter(pl.col("kind").cast(pl.String) == "text") for table in (first, second))
    pairs = b.filter(pl.col("sender").is_in(strangers)).join(
        a.select("_time", "_body", other="sender"), on=["_time", "_body"], how="inner"
    )
    counts = pairs.group_by("sender", "other").len().sort("len", descending=True)
    for stranger in strangers:
        matches = counts.filter(pl.col("sender") == stranger)
        if len(matches) and matches["len"][0] >= _MIN_SHARED and matches["len"][0] * 5 >= matches["len"].sum() * 4:
            second = merge_senders(second, [stranger], matches["other"][0])
    return second


def with_one_name(chat: Chat, name: str, into: str) -> Chat:
    """The chat with the messages of `name` called `into`, in its title too where that is made of its people's names."""
    messages = merge_senders(chat.messages, [name], into)
    made = chat.title == title_of(names=people(chat.messages))
    return replace(chat, messages=messages, title=title_of(names=people(messages)) if made else chat.title)
