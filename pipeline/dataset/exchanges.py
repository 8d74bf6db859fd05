"""Turns become exchanges: what was said to the person, and what the person replied."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate, groupby
from typing import NamedTuple

import polars as pl

from pipeline.dataset.config import DatasetConfig
from pipeline.dataset.filters import WORDS, why_unanswerable
from pipeline.dataset.situation import OPENER, mark, user_content
from pipeline.prompt import join_bubbles

__all__ = ["Exchange", "Session", "build_sessions", "unlearn"]


@dataclass(frozen=True)
class Exchange:
    """A user turn and the person's reply to it. `skipped`: why the reply is not learned from, or null.

    `spared`: the filter that would leave the reply out if it were on, or null.
    """

    user: str
    reply: str
    replied_at: datetime
    skipped: str | None = None
    spared: str | None = None


@dataclass(frozen=True)
class Session:
    """The exchanges between two long silences; `silence` is the one before, null for the first."""

    number: int
    started_at: datetime
    silence: timedelta | None
    exchanges: tuple[Exchange, ...]


def unlearn(session: Session, reasons: dict[int, str]) -> Session:
    """The session with the exchanges at these indices kept as context only."""
    if not reasons:
        return session
    return replace(
        session,
        exchanges=tuple(
            replace(exchange, skipped=reasons.get(index, exchange.skipped))
            for index, exchange in enumerate(session.exchanges)
        ),
    )


def build_sessions(turns: pl.DataFrame, config: DatasetConfig, others: list[str]) -> list[Session]:
    """Every session in which the person speaks. turns: of messages labelled by `label_messages`."""
    mine = {config.person, *config.also_named}
    made = []
    for number, group in groupby(read_turns(turns), key=lambda turn: turn.session):
        session_turns = list(group)
        exchanges = tuple(build_exchanges(session_turns, mine, others, config.filters))
        if exchanges:
            made.append(Session(number, session_turns[0].started_at, session_turns[0].gap, exchanges))
    return made


class Turn(NamedTuple):
    """A row of the turns."""

    session: int
    sender: str
    started_at: datetime
    gap: timedelta | None
    bubbles: list[str]
    kinds: list[str]


def read_turns(turns: pl.DataFrame) -> Iterator[Turn]:
    # Nested lists come out of polars slowly one by one, and fast as one list to slice.
    bubbles, kinds = (turns[name].explode().to_list() for name in ("bubbles", "kinds"))
    ends = list(accumulate(turns["bubbles"].list.len().to_list()))
    columns = [turns[name].to_list() for name in ("session", "sender", "started_at", "gap")]
    for session, sender, started_at, gap, start, end in zip(*columns, [0, *ends[:-1]], ends, strict=True):
        yield Turn(session, sender, started_at, gap, bubbles[start:end], kinds[start:end])


def build_exchanges(turns: list[Turn], mine: set[str], others: list[str], filters: Sequence[str]) -> Iterator[Exchange]:
    """Pairs of one session's turns, in order; what follows the person's last reply is left out."""
    user, reason = OPENER, None
    for is_mine, side in groupby(turns, key=lambda turn: turn.sender in mine):
        run = list(side)
        if is_mine:
            reply, skipped = read_reply(run)
            on = reason == "unseen" or reason in filters
            spared = reason if not on and skipped is None else None
            yield Exchange(user, reply, run[0].started_at, skipped or (reason if on else None), spared)
        else:
            reason = why_unanswerable({kind for turn in run for kind in turn.kinds})
            user = user_content([(turn.sender, shown(turn.bubbles, turn.kinds)) for turn in run], others)


def read_reply(turns: list[Turn]) -> tuple[str, str | None]:
    """The person's own words in a reply; a reply without any is its mark, with the reason."""
    own = [text for turn in turns for text, kind in zip(turn.bubbles, turn.kinds, strict=True) if kind in WORDS]
    if own:
        return join_bubbles(own), None
    kinds = [kind for turn in turns for kind in turn.kinds]
    return mark(kinds[0]), kinds[0]


def shown(bubbles: list[str], kinds: list[str]) -> list[str]:
    """Bubbles as the other side sent them, with marks for what has no words; a row of the same marks is one."""
    made: list[str] = []
    for text, kind in zip(bubbles, kinds, strict=True):
        sign = None if kind == "text" else mark("media" if kind == "captioned" else kind)
        if sign is not None and (not made or made[-1] != sign):
            made.append(sign)
        if kind in WORDS:
            made.append(text)
    return made
