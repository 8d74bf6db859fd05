"""From messages to a dataset, in one call."""

from collections import Counter as Counts
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from pipeline.dataset.config import FEWEST_REPLIES, Dataset, DatasetConfig, Dropped, Row, Summary
from pipeline.dataset.exchanges import Session, build_sessions, unlearn
from pipeline.dataset.filters import REASONS, dropped_messages, label_messages
from pipeline.dataset.situation import system_prompt
from pipeline.dataset.windows import (
    Counter,
    estimate_counter,
    longest_reply,
    pair_lengths,
    session_rows,
    system_lengths,
    template_counter,
)
from pipeline.errors import ChatError
from pipeline.prompt import read_template
from pipeline.turns import build_turns, find_silence

__all__ = ["build_dataset"]

Lengths = list[list[tuple[int, int]]]
Place = tuple[int, int]  # session index, exchange index

TYPICAL_SILENCE = 720.0  # minutes, where a chat has one session and so no silence before one


def build_dataset(messages: pl.DataFrame, config: DatasetConfig, tokenizer: Any = None) -> Dataset:
    """Rows to learn the person's replies from, and the last of them in time held out.

    Without a tokenizer lengths are estimated. Raises ChatError for a chat of one person, a person who is not in it,
    or too few replies.
    """
    others = find_others(messages, config)
    silence = find_silence(messages) if config.silence_minutes is None else timedelta(minutes=config.silence_minutes)
    labelled = label_messages(messages, config)
    sessions = build_sessions(build_turns(labelled, silence), config, others)
    count = template_counter(read_template(tokenizer), tokenizer) if tokenizer is not None else estimate_counter
    lengths = pair_lengths(sessions, count)
    sessions = skip_long_replies(sessions, lengths, config, others, count)
    check_enough(sessions, config)
    parts = split_by_time(sessions, lengths, config.validation_share)
    train, validation = (session_rows(part, sizes, config, others, count) for part, sizes in parts)
    summary = summarise(messages, config, others, silence, sessions, train, validation, parts)
    return Dataset(
        train,
        validation,
        config,
        summary.model_copy(update={"tokenizer": tokenizer_name(tokenizer)}),
        [*dropped_messages(labelled, config), *skipped_replies(sessions)],
    )


def tokenizer_name(tokenizer: Any) -> str | None:
    """Its Hub id, or the last part of its folder: a dataset does not tell where things lie on this machine."""
    name = str(getattr(tokenizer, "name_or_path", "") or "")
    return (Path(name).name if Path(name).is_absolute() else name) or None


def find_others(messages: pl.DataFrame, config: DatasetConfig) -> list[str]:
    """Everyone but the person, by messages, most first. Raises ChatError where that leaves nobody to talk to."""
    counts = messages["sender"].drop_nulls().value_counts(sort=True)
    names = counts["sender"].to_list()
    mine = {config.person, *config.also_named}
    if config.person not in names:
        known = ", ".join(names[:5]) or "nobody"
        raise ChatError(f"{config.person} does not write in this chat: choose one of {known}.")
    if missing := sorted(mine - set(names)):
        raise ChatError(f"{missing[0]} does not write in this chat: check the person's other names.")
    others = [name for name in names if name not in mine]
    if not others:
        raise ChatError(f"Only {config.person} writes in this chat: a twin needs someone to reply to.")
    return others


def skip_long_replies(
    sessions: Sequence[Session], lengths: Lengths, config: DatasetConfig, others: Sequence[str], count: Counter
) -> list[Session]:
    systems = (system_prompt(config, others, session.started_at, session.silence) for session in sessions)
    head = max(system_lengths(systems, count).values(), default=0)
    longest = longest_reply(config, head)
    if longest < config.max_tokens / 4:
        raise ChatError(
            f"The system prompt takes {head} of a row's {config.max_tokens} tokens: shorten it or allow longer rows."
        )
    return [
        unlearn(session, {index: "too_long" for index, (_, reply) in enumerate(pairs) if reply > longest})
        for session, pairs in zip(sessions, lengths, strict=True)
    ]


def learnable(sessions: Sequence[Session]) -> list[Place]:
    return [
        (index, place)
        for index, session in enumerate(sessions)
        for place, exchange in enumerate(session.exchanges)
        if exchange.skipped is None
    ]


def check_enough(sessions: Sequence[Session], config: DatasetConfig) -> None:
    count = len(learnable(sessions))
    if count < FEWEST_REPLIES:
        replies = "1 reply" if count == 1 else f"{count} replies"
        raise ChatError(
            f"{config.person} has {replies} to learn from in this chat, and a twin needs at least {FEWEST_REPLIES}: "
            "take a longer chat or another person."
        )


@dataclass(frozen=True)
class Cut:
    """Where the held-out part begins."""

    session: int
    exchange: int


def split_by_time(
    sessions: Sequence[Session], lengths: Lengths, share: float
) -> tuple[tuple[list[Session], Lengths], tuple[list[Session], Lengths]]:
    """The sessions before and after the cut, with their lengths; a session that is cut is in both.

    The later half keeps the earlier exchanges as context, not to be learned. The earlier half ends at the cut.
    """
    cut = find_cut(sessions, share)
    if cut is None:
        return (list(sessions), list(lengths)), ([], [])
    before, sizes_before = list(sessions[: cut.session]), list(lengths[: cut.session])
    after, sizes_after = list(sessions[cut.session :]), list(lengths[cut.session :])
    if cut.exchange:
        divided, sizes = sessions[cut.session], lengths[cut.session]
        before.append(Session(divided.number, divided.started_at, divided.silence, divided.exchanges[: cut.exchange]))
        sizes_before.append(sizes[: cut.exchange])
        after[0] = unlearn(divided, dict.fromkeys(range(cut.exchange), "earlier"))
    return (before, sizes_before), (after, sizes_after)


def find_cut(sessions: Sequence[Session], share: float) -> Cut | None:
    """The start of a session that holds out about `share` of the replies; inside a session only where none does."""
    places = learnable(sessions)
    held_out = round(len(places) * share)
    if not held_out:
        return None
    starts: dict[int, int] = {}
    for rank, (session, _) in enumerate(places):
        starts.setdefault(session, rank)
    session, rank = min(starts.items(), key=lambda start: abs(len(places) - held_out - start[1]))
    if 0.5 * held_out <= len(places) - rank <= 1.5 * held_out:
        return Cut(session, 0)
    return Cut(*places[len(places) - held_out])


def skipped_replies(sessions: Sequence[Session]) -> list[Dropped]:
    """Replies with words of their own that are not learned from all the same, by reason."""
    made = []
    for name in ("too_long", "unseen", "not_chosen"):
        replies = [e.reply for session in sessions for e in session.exchanges if e.skipped == name]
        if replies:
            made.append(Dropped(name, REASONS[name], len(replies), tuple(replies[:5])))
    return made


def summarise(
    messages: pl.DataFrame,
    config: DatasetConfig,
    others: Sequence[str],
    silence: timedelta,
    sessions: Sequence[Session],
    train: Sequence[Row],
    validation: Sequence[Row],
    parts: Any,
) -> Summary:
    silences = [session.silence.total_seconds() / 60 for session in sessions if session.silence is not None]
    first_at, last_at = messages.select(pl.col("sent_at").min().alias("a"), pl.col("sent_at").max().alias("b")).row(0)
    return Summary(
        others=tuple(others),
        messages=messages.height,
        sessions=len(sessions),
        silence_minutes=silence.total_seconds() / 60,
        typical_silence_minutes=median(silences) if silences else TYPICAL_SILENCE,
        first_at=first_at,
        last_at=last_at,
        validation_from=validation[0].sent_at if validation else None,
        replies=sum(len(session.exchanges) for session in sessions),
        train_replies=len(learnable(parts[0][0])),
        validation_replies=len(learnable(parts[1][0])),
        train_rows=len(train),
        validation_rows=len(validation),
        train_tokens=sum(row.tokens for row in train),
        validation_tokens=sum(row.tokens for row in validation),
        tokenizer=None,
        dropped=Counts(e.skipped for session in sessions for e in session.exchanges if e.skipped),
        masked={},
    )
