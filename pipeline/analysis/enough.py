"""Whether a person wrote enough to be learned from."""

from __future__ import annotations

import polars as pl

__all__ = ["ENOUGH", "FEW", "PLENTY", "enough"]

# Replies with something before them to answer. FEW: below it nothing can be held out to measure by; ENOUGH: the style
# is recognisable; PLENTY: more still helps, but slowly.
FEW, ENOUGH, PLENTY = 100, 500, 2000


def enough(messages: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """One row a person: replies, kept, tokens (about), months, of_months, verdict (few, little, enough, plenty).

    A reply is a turn that answers somebody; kept are those with text that is more than a link. `months` counts the
    calendar months with a kept reply, `of_months` those of the whole span. Tokens are estimated: four characters of a
    Latin script make about one, one and a half of the others.
    """
    first, last = messages.select(a=pl.col("sent_at").min(), b=pl.col("sent_at").max()).row(0)
    span = (last.year - first.year) * 12 + last.month - first.month + 1
    spread = (pl.col("text").str.len_bytes() - pl.col("chars")).sum() / pl.col("chars").sum().clip(lower_bound=1)
    script = messages.group_by("person").agg(pl.when(spread < 0.3).then(4.0).otherwise(1.5).alias("per_token"))
    replies = turns.filter(~pl.col("opens"))
    answered = replies.group_by("person").agg(
        pl.len().alias("replies"),
        (pl.col("texts") > 0).sum().alias("kept"),
        pl.col("chars").sum(),
        pl.col("started_at").filter(pl.col("texts") > 0).dt.truncate("1mo").n_unique().alias("months"),
    )
    kept = pl.col("kept")
    verdict = (
        pl.when(kept < FEW).then(pl.lit("few")).when(kept < ENOUGH).then(pl.lit("little"))
        .when(kept < PLENTY).then(pl.lit("enough")).otherwise(pl.lit("plenty"))
    )  # fmt: skip
    return (
        script.join(answered, on="person", how="left")
        .with_columns(pl.col("replies", "kept", "chars", "months").fill_null(0))
        .with_columns(
            (pl.col("chars") / pl.col("per_token")).round().cast(pl.UInt32).alias("tokens"),
            pl.lit(span).alias("of_months"),
            verdict.alias("verdict"),
        )
        .select("person", "replies", "kept", "tokens", "months", "of_months", "verdict")
        .sort("person")
    )
