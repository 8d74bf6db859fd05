"""The languages each person writes in, judged on long stretches: one short message misleads any detector."""

from __future__ import annotations

import polars as pl

from pipeline.analysis.measures import LINK

__all__ = ["FEWEST_CHARACTERS", "STRETCHES", "judge", "languages"]

STRETCH = 400  # characters that are judged together
STRETCHES = 100  # at most so many for a whole chat, spread evenly over people and time
FEWEST_CHARACTERS = 120  # a person who wrote less than this is not judged
READ_FROM = 8_000  # messages
SMALLEST_SHARE = 0.1  # less of a person's text than this is the detector's doubt rather than a language


def judge(messages: pl.DataFrame) -> pl.DataFrame:
    """One row a stretch of text that was judged: person, sent_at (when it begins), language (ISO 639-1).

    People who wrote too little have no row.
    """
    chosen = _stretches(messages)
    found: list[str] = []
    if chosen.height:
        from py3langid import classify  # type: ignore[import-untyped]

        found = [classify(text)[0] for text in chosen["stretch"].to_list()]
    return chosen.select("person", "sent_at", pl.Series("language", found, dtype=pl.String))


def languages(stretches: pl.DataFrame) -> pl.DataFrame:
    """One row a person and language: person, language, share of the person's stretches, stretches judged.

    A language below a tenth of somebody's text is not named.
    """
    return (
        stretches.group_by("person", "language")
        .agg(pl.len().alias("count"))
        .with_columns(pl.col("count").sum().over("person").alias("stretches"))
        .select("person", "language", (pl.col("count") / pl.col("stretches")).alias("share"), "stretches")
        .filter(pl.col("share") >= SMALLEST_SHARE)
        .sort(["person", "share", "language"], descending=[False, True, False])
    )


def _stretches(messages: pl.DataFrame) -> pl.DataFrame:
    """Each person's text in stretches of about 400 characters, thinned evenly: person, sent_at, stretch."""
    rows = messages.filter(pl.col("words") > 0).select("person", "sent_at", "text", "chars")
    rows = rows.gather_every(max(1, rows.height // READ_FROM)).with_columns(
        pl.col("text").str.replace_all(LINK + r"\S*", " ").str.replace_all(r"@\S+", " ")
    )
    each = max(2, STRETCHES // max(1, rows["person"].n_unique()))
    return (
        rows.with_columns((pl.col("chars").cum_sum().over("person") // STRETCH).alias("place"))
        .group_by("person", "place", maintain_order=True)
        .agg(pl.col("sent_at").first(), pl.col("text").str.join(" ").alias("stretch"), pl.col("chars").sum())
        .filter(pl.col("chars") >= FEWEST_CHARACTERS)
        .filter(pl.int_range(pl.len()).over("person") % (pl.len().over("person") // each).clip(lower_bound=1) == 0)
        .group_by("person", maintain_order=True)
        .head(each)
        .drop("place", "chars")
    )
