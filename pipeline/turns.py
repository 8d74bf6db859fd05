"""Messages become turns: where a conversation ends, and who said what in one breath."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from pipeline.errors import ChatError

__all__ = ["GapHistogram", "build_turns", "find_silence", "gap_histogram", "silence_bounds"]

# Two people drop a thread for an afternoon and pick it up; in a group the thread is another one by then.
PAIR_BOUNDS = (timedelta(hours=1), timedelta(hours=4))
GROUP_BOUNDS = (timedelta(minutes=45), timedelta(minutes=90))
FEWEST_GAPS = 50  # below this the gaps show no shape, and the middle of the bounds is as good
STEP = timedelta(minutes=5)
# A clock set back for the winter is no new conversation; a file that jumps back further is.
CLOCK_SLACK = timedelta(hours=2)

EDGES: tuple[tuple[str, timedelta], ...] = (
    ("10 s", timedelta(seconds=10)),
    ("30 s", timedelta(seconds=30)),
    ("1 min", timedelta(minutes=1)),
    ("2 min", timedelta(minutes=2)),
    ("5 min", timedelta(minutes=5)),
    ("10 min", timedelta(minutes=10)),
    ("20 min", timedelta(minutes=20)),
    ("40 min", timedelta(minutes=40)),
    ("1 h", timedelta(hours=1)),
    ("1.5 h", timedelta(minutes=90)),
    ("2 h", timedelta(hours=2)),
    ("3 h", timedelta(hours=3)),
    ("4 h", timedelta(hours=4)),
    ("6 h", timedelta(hours=6)),
    ("9 h", timedelta(hours=9)),
    ("12 h", timedelta(hours=12)),
    ("1 day", timedelta(days=1)),
    ("2 days", timedelta(days=2)),
    ("1 week", timedelta(weeks=1)),
)


@dataclass(frozen=True)
class GapHistogram:
    """The silences between messages, and what a cut does to them.

    `table`: one row a bin, columns `up_to` String, `seconds` Float64 (upper edge, null for the last), `gaps` UInt32,
    `cut` Boolean (the bin lies beyond the cut). `kept_replies`: share of the changes of speaker within the cut.
    """

    table: pl.DataFrame
    silence: timedelta
    sessions: int
    kept_replies: float


def silence_bounds(messages: pl.DataFrame) -> tuple[timedelta, timedelta]:
    """The shortest and longest silence that may end a session: 1 to 4 h for two people, about an hour for a group."""
    return GROUP_BOUNDS if messages["sender"].drop_nulls().n_unique() > 2 else PAIR_BOUNDS


def find_silence(messages: pl.DataFrame) -> timedelta:
    """The silence after which a new session starts: where the chat's own gaps are rarest, within `silence_bounds`.

    Gaps are counted on a logarithmic scale, on which talk and nights are two hills; the cut is the valley between.
    """
    low, high = silence_bounds(messages)
    seconds = spoken(messages)["gap"].drop_nulls().dt.total_seconds()
    logs = seconds.filter(seconds >= 60).cast(pl.Float64).log()
    if len(logs) < FEWEST_GAPS:
        return round_to_step((low + high) / 2)
    width = 1.06 * float(logs.std() or 1.0) * len(logs) ** -0.2  # type: ignore[arg-type]  # Silverman's bandwidth
    candidates = [low + STEP * i for i in range(int((high - low) / STEP) + 1)]

    def density(silence: timedelta) -> float:
        distance = (logs - pl.Series([silence.total_seconds()]).log()) / width
        return float((-0.5 * distance**2).exp().sum())

    # On a plateau the longer silence wins: it keeps more replies with what they answer.
    return min(reversed(candidates), key=density)


def round_to_step(silence: timedelta) -> timedelta:
    return STEP * round(silence / STEP)


def gap_histogram(messages: pl.DataFrame, silence: timedelta | None = None) -> GapHistogram:
    """The chat's gaps in bins from seconds to weeks, with the cut on them (`find_silence` when none is given)."""
    cut = find_silence(messages) if silence is None else silence
    said = spoken(messages)
    gaps = said["gap"].drop_nulls().dt.total_seconds()
    bounds = [edge.total_seconds() for _, edge in EDGES]
    labels = [label for label, _ in EDGES]
    place = pl.Series(bounds).search_sorted(gaps.cast(pl.Float64), side="left")
    counts = [0] * (len(bounds) + 1)
    for bin_, count in place.value_counts().iter_rows():
        counts[bin_] = count
    lower = [0.0, *bounds]
    table = pl.DataFrame(
        {
            "up_to": [*labels, "longer"],
            "seconds": pl.Series([*bounds, None], dtype=pl.Float64),
            "gaps": pl.Series(counts, dtype=pl.UInt32),
            "cut": [edge >= cut.total_seconds() for edge in lower],
        }
    )
    changes = said.filter(pl.col("sender") != pl.col("sender").shift())["gap"].drop_nulls()
    kept = float((changes <= cut).mean() or 0.0) if len(changes) else 0.0  # type: ignore[arg-type]
    sessions = int(said.select(new_session(cut).sum()).item()) if said.height else 0
    return GapHistogram(table, cut, sessions, kept)


def build_turns(messages: pl.DataFrame, silence: timedelta) -> pl.DataFrame:
    """One row a turn: a run of messages of one sender inside a session; system lines neither speak nor interrupt.

    Columns: session UInt32, turn UInt32 (both from 0 through the chat), sender String, started_at and ended_at
    Datetime("us"), gap Duration("us") (since the message before, null at the start), bubbles List[String] and kinds
    List[Enum], both in order.
    """
    if silence <= timedelta(0):
        raise ChatError("The silence that ends a conversation must be longer than nothing; an hour is a good start.")
    said = spoken(messages).with_columns((new_session(silence).cum_sum() - 1).alias("session"))
    new_turn = pl.col("session").ne_missing(pl.col("session").shift()) | pl.col("sender").ne_missing(
        pl.col("sender").shift()
    )
    return (
        said.with_columns((new_turn.cast(pl.UInt32).cum_sum() - 1).cast(pl.UInt32).alias("turn"))
        .group_by("turn", maintain_order=True)
        .agg(
            pl.col("session").first().cast(pl.UInt32),
            pl.col("sender").first(),
            pl.col("sent_at").first().alias("started_at"),
            pl.col("sent_at").last().alias("ended_at"),
            pl.col("gap").first(),
            pl.col("text").alias("bubbles"),
            pl.col("kind").alias("kinds"),
        )
        .select("session", "turn", "sender", "started_at", "ended_at", "gap", "bubbles", "kinds")
    )


def spoken(messages: pl.DataFrame) -> pl.DataFrame:
    """What people sent, in file order, with `gap` Duration("us") since the one before (null first)."""
    said = messages.filter(pl.col("sender").is_not_null(), pl.col("kind").cast(pl.String) != "system")
    return said.with_columns(pl.col("sent_at").diff().alias("gap"))


def new_session(silence: timedelta) -> pl.Expr:
    gap = pl.col("gap")
    return (gap.is_null() | (gap > silence) | (gap < -max(silence, CLOCK_SLACK))).cast(pl.UInt32)
