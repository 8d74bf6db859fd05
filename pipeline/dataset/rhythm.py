"""How fast somebody writes: read from the gaps between the messages that they send in a row."""

from collections.abc import Collection
from datetime import timedelta
from math import isfinite, log

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from pipeline.turns import spoken

__all__ = ["Rhythm", "find_rhythm"]

FEWEST_GAPS = 30  # below this they say nothing of a person
WRITING = timedelta(seconds=60)  # a longer gap is spent on something else
TYPING = (0.02, 0.5)  # seconds a character that a hand can do, or a patient one
USUAL_SPREAD = 0.45  # where the phone wrote no seconds


class Rhythm(BaseModel):
    """The seconds before a further message of a turn: `pause + per_character * length`, more or less.

    `spread` is the standard deviation of the logarithm of what a gap is of that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pause: float = Field(ge=0)
    per_character: float = Field(ge=0)
    spread: float = Field(ge=0)


def find_rhythm(messages: pl.DataFrame, mine: Collection[str]) -> Rhythm | None:
    """The rhythm of whoever has the names `mine`; None where too few of their messages follow one of their own.

    A line through gaps and lengths by least squares: where a phone wrote whole minutes, the rounding evens out.
    """
    own = pl.col("sender").is_in(list(mine))
    written = (
        spoken(messages)
        .filter(own & own.shift(), pl.col("kind").cast(pl.String) == "text")
        .filter(pl.col("gap").is_between(timedelta(0), WRITING))
        .select(
            pl.col("gap").dt.total_microseconds().cast(pl.Float64).alias("gap") / 1e6,
            pl.col("text").str.len_chars().cast(pl.Float64).alias("length"),
            pl.col("sent_at").dt.second().alias("second"),
        )
    )
    if written.height < FEWEST_GAPS:
        return None
    slope, gap, length = written.select(
        (pl.cov("gap", "length") / pl.var("length")).alias("slope"), pl.mean("gap"), pl.mean("length")
    ).row(0)
    per_character = min(max(slope if isfinite(slope) else 0.0, TYPING[0]), TYPING[1])
    pause = max(0.0, gap - per_character * length)
    has_seconds = written["second"].max() != 0
    spread = _spread(written, pause, per_character) if has_seconds else USUAL_SPREAD
    return Rhythm(pause=round(pause, 3), per_character=round(per_character, 4), spread=round(spread, 3))


def _spread(written: pl.DataFrame, pause: float, per_character: float) -> float:
    """From the middle half of the gaps, so that no single one counts for much."""
    usual = pause + per_character * pl.col("length")
    shares = written.filter(pl.col("gap") > 0).select((pl.col("gap") / usual).alias("share"))["share"]
    low, high = shares.quantile(0.25), shares.quantile(0.75)
    return log(high / low) / 1.349 if low and high else USUAL_SPREAD  # quartiles of a normal lie 1.349 sd apart
