"""What is not learned from, and why: each message that has no words of the person's own gets its reason as its kind."""

import polars as pl

from pipeline.dataset.config import DatasetConfig, Dropped

__all__ = ["REASONS", "UNANSWERABLE", "dropped_messages", "label_messages"]

# In the order in which they are tried; each becomes the message's kind, and its mark in the context.
REASONS = {
    "deleted": "Deleted: the words are gone.",
    "media": "Pictures, voice notes, calls and the like: kept as a mark for context, never learned.",
    "empty": "Empty: the export kept no words.",
    "link": "Nothing but links.",
    "forwarded": "Forwarded, or pasted: not the person's own words.",
    "repeated": "The same long text once more.",
    "too_long": "Replies that do not fit into a row.",
    "unseen": "Replies to a message that was deleted.",
    "not_chosen": "Left out by the cap on replies: near-duplicates first.",
}

# A reply to these answers words that the file does not hold.
UNANSWERABLE = frozenset({"deleted"})

LINKS_ONLY = r"(?i)^\s*(?:(?:https?://|www\.)\S+\s*)+$"
FORWARDED = r"(?i)^\W{0,3}(?:forwarded(?: many times| as received| message)?\b|fwd?:|weitergeleitet\b|reenviad[oa]\b)"
LONG = 60  # characters from which a repeated text is no turn of phrase
WALL_LINES = 20
SAMPLES = 5


def label_messages(messages: pl.DataFrame, config: DatasetConfig) -> pl.DataFrame:
    """The messages with `kind` String: `text` for what has words of its own, else the reason why not.

    Kinds without words other than deleted and system keep their own name (media, call, poll, ...). Repeats are the
    person's only: what others send twice was seen twice.
    """
    kind, text = pl.col("kind").cast(pl.String), pl.col("text")
    wall = (text.str.len_chars() > config.wall_characters) | (text.str.count_matches("\n") >= WALL_LINES)
    mine = pl.col("sender").is_in([config.person, *config.also_named])
    return messages.with_columns(
        pl.when(kind != "text")
        .then(kind)
        .when(text.str.contains(r"^\s*$"))
        .then(pl.lit("empty"))
        .when(text.str.contains(LINKS_ONLY))
        .then(pl.lit("link"))
        .when(mine & (wall | text.str.contains(FORWARDED)))
        .then(pl.lit("forwarded"))
        .when(mine & (text.str.len_chars() >= LONG) & ~pl.struct("sender", "text").is_first_distinct())
        .then(pl.lit("repeated"))
        .otherwise(pl.lit("text"))
        .alias("kind")
    )


def dropped_messages(labelled: pl.DataFrame, config: DatasetConfig) -> list[Dropped]:
    """The person's messages that are not learned from, by reason, most first."""
    mine = labelled.filter(
        pl.col("sender").is_in([config.person, *config.also_named]), ~pl.col("kind").is_in(["text", "system"])
    ).with_columns(pl.when(pl.col("kind").is_in(list(REASONS))).then("kind").otherwise(pl.lit("media")).alias("kind"))
    groups = mine.group_by("kind").agg(pl.len(), pl.col("text").head(SAMPLES)).sort("len", "kind", descending=True)
    return [Dropped(kind, REASONS[kind], count, tuple(texts)) for kind, count, texts in groups.iter_rows()]
