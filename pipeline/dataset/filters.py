"""What is not learned from, and why: each message that has no words of the person's own gets its reason as its kind."""

from collections.abc import Sequence

import polars as pl

from pipeline.dataset.config import DatasetConfig, Dropped
from pipeline.messages import captions

__all__ = ["REASONS", "SAMPLES", "WORDS", "dropped_messages", "label_messages", "why_unanswerable"]

# Those of messages become their kind, and their mark in the context; those that FILTERS names can be switched off.
REASONS = {
    "deleted": "Deleted: the words are gone.",
    "media": "Pictures, voice notes and files: a mark in the context, never learned. Their captions are text.",
    "call": "Calls: a mark in the context, never learned.",
    "other": "Polls, places, contacts and events: a mark in the context, never learned.",
    "empty": "Empty: the export kept no words.",
    "link": "Nothing but links: no words of the person's own.",
    "forwarded": "Forwarded: not the person's own words.",
    "pasted": "Pasted: longer than people type, by characters or by lines.",
    "repeated": "The same long text once more: once is enough to learn it.",
    "only_media": "Replies to nothing but a picture, voice note or file, which the model cannot see.",
    "only_call": "Replies to nothing but a call, which the model cannot hear.",
    "too_long": "Replies that do not fit into a row.",
    "unseen": "Replies to a message that was deleted.",
    "not_chosen": "Left out by the cap on replies: near-duplicates first.",
}

# Kinds that have words of their own; a caption stands beside the mark of its picture.
WORDS = frozenset({"text", "captioned"})

LINKS_ONLY = r"(?i)^\s*(?:(?:(?:https?://|www\.)\S+|\[url \d+\])\s*)+$"  # also as masking leaves them
FORWARDED = r"(?i)^\W{0,3}(?:forwarded(?: many times| as received| message)?\b|fwd?:|weitergeleitet\b|reenviad[oa]\b)"
LONG = 60  # characters from which a repeated text is no turn of phrase
WALL_LINES = 20
SAMPLES = 5


def label_messages(messages: pl.DataFrame, config: DatasetConfig) -> pl.DataFrame:
    """The messages with `kind` String: `text` or `captioned` for what has words of its own, else the reason why not.

    `spared` String: the filter that would take a message if it were on, else null. Kinds without words other than
    deleted and system keep their own name (media, call, poll, ...); a picture's text becomes its caption.
    """
    kind, caption = pl.col("kind").cast(pl.String), pl.col("caption")
    written = messages.with_columns(captions(messages).alias("caption")).with_columns(
        pl.when(caption.is_not_null()).then(pl.lit("captioned")).otherwise(kind).alias("kind"),
        pl.coalesce("caption", "text").alias("text"),
    )
    said, tests, on = pl.col("kind").is_in(list(WORDS)), filter_tests(config), {"empty", *config.filters}
    tested = written.with_columns((said & test).alias(name) for name, test in tests.items())
    taken = first_of([name for name in tests if name in on])
    spared = first_of([name for name in tests if name not in on])
    return tested.with_columns(
        pl.coalesce(taken, "kind").alias("kind"), pl.when(taken.is_null()).then(spared).alias("spared")
    ).drop(*tests, "caption")


def filter_tests(config: DatasetConfig) -> dict[str, pl.Expr]:
    """By name, in order: whether a filter takes a message that has words. Most take the person's own only."""
    text = pl.col("text")
    mine = pl.col("sender").is_in([config.person, *config.also_named])
    wall = (text.str.len_chars() > config.wall_characters) | (text.str.count_matches("\n", literal=True) >= WALL_LINES)
    return {
        "empty": text.str.contains(r"^\s*$"),
        "link": text.str.contains(LINKS_ONLY),
        "forwarded": mine & text.str.contains(FORWARDED),
        "pasted": mine & wall,
        # What others send twice was seen twice.
        "repeated": mine & (text.str.len_chars() >= LONG) & ~pl.struct("sender", "text").is_first_distinct(),
    }


def first_of(names: Sequence[str]) -> pl.Expr:
    """The first of these Boolean columns that is true, by name, or null."""
    return pl.coalesce(*(pl.when(pl.col(name)).then(pl.lit(name)) for name in names), pl.lit(None, pl.String))


def why_unanswerable(kinds: set[str]) -> str | None:
    """The reason not to learn a reply to messages of these kinds alone, if they hold nothing that a model can read."""
    if kinds <= {"deleted"}:
        return "unseen"
    if kinds <= {"deleted", "call"}:
        return "only_call"
    return "only_media" if kinds <= {"deleted", "call", "media"} else None


def dropped_messages(labelled: pl.DataFrame, config: DatasetConfig) -> tuple[list[Dropped], list[Dropped]]:
    """The person's messages that are not learned from, and those that a filter which is off would leave out.

    By reason, most first.
    """
    mine = labelled.filter(pl.col("sender").is_in([config.person, *config.also_named]))
    reason = pl.when(pl.col("kind").is_in(list(REASONS))).then("kind").otherwise(pl.lit("other"))
    dropped = mine.filter(~pl.col("kind").is_in([*WORDS, "system"])).with_columns(reason.alias("reason"))
    spared = mine.filter(pl.col("spared").is_not_null()).with_columns(pl.col("spared").alias("reason"))
    return by_reason(dropped), by_reason(spared)


def by_reason(messages: pl.DataFrame) -> list[Dropped]:
    groups = (
        messages.group_by("reason").agg(pl.len(), pl.col("text").head(SAMPLES)).sort("len", "reason", descending=True)
    )
    return [Dropped(name, REASONS[name], count, tuple(texts)) for name, count, texts in groups.iter_rows()]
