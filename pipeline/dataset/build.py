"""From messages to a dataset, in one call."""

from collections import Counter as Counts
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import polars as pl

from pipeline.dataset.config import FEWEST_REPLIES, Dataset, DatasetConfig, Dropped, Row, Summary
from pipeline.dataset.exchanges import Session, build_sessions, unlearn
from pipeline.dataset.filters import REASONS, SAMPLES, dropped_messages, label_messages
from pipeline.dataset.rhythm import find_rhythm
from pipeline.dataset.selection import choose_replies
from pipeline.dataset.situation import default_prompt, find_language, system_prompt
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
from pipeline.messages import people
from pipeline.progress import SILENT, Progress
from pipeline.prompt import read_template
from pipeline.redact import RedactionConfig, mask_text, redact
from pipeline.turns import build_turns, find_silence

__all__ = ["build_dataset"]

Lengths = list[list[tuple[int, int]]]
Place = tuple[int, int]  # session index, exchange index

EARLIER = "earlier"  # learned in the other part
TYPICAL_SILENCE = 720.0  # minutes, where a chat has one session and so no silence before one


def build_dataset(
    messages: pl.DataFrame, config: DatasetConfig, tokenizer: Any = None, progress: Progress = SILENT
) -> Dataset:
    """Rows to learn the person's replies from, and the last of them in time held out.

    Without a tokenizer lengths are estimated. The returned config has its language and prompt filled in and, with
    redaction, aliases in place of names.
    Raises ChatError for a chat of one person, a person who is not in it, or too few replies.
    """
    find_others(messages, config)
    progress(0, what="Looking at the messages")
    masked: dict[str, int] = {}
    if config.redaction is not None:
        redacted = redact(messages, config.redaction)
        masked = dict(redacted.found.group_by("kind").agg(pl.col("count").sum()).sort("kind").iter_rows())
        messages, config = redacted.messages, redacted_config(config, config.redaction)
    config = with_language(messages, config)
    others = find_others(messages, config)
    silence = find_silence(messages) if config.silence_minutes is None else timedelta(minutes=config.silence_minutes)
    labelled = label_messages(messages, config)
    sessions = build_sessions(build_turns(labelled, silence), config, others)
    count = template_counter(read_template(tokenizer), tokenizer) if tokenizer is not None else estimate_counter
    progress(1, 10, "Counting tokens")
    lengths = pair_lengths(sessions, count)
    sessions = skip_long_replies(sessions, lengths, config, others, count)
    hints = find_hints(messages, config)
    check_enough(sessions, config, hints)
    parts = split_by_time(sessions, lengths, config.validation_share)
    if config.max_replies is not None:
        parts[0] = keep_chosen(parts[0], config.max_replies)
    progress(5, 10, "Making rows")
    rows = [session_rows(part.sessions, part.lengths, config, others, count) for part in parts]
    progress(9, 10)
    summary = Summary(
        others=tuple(others),
        messages=messages.height,
        **chat_facts(messages, sessions, silence),
        **row_facts(parts, rows),
        tokenizer=tokenizer_name(tokenizer),
        masked=masked,
        hints=tuple(hints),
        rhythm=find_rhythm(messages, {config.person, *config.also_named}),
    )
    dropped, spared = dropped_messages(labelled, config)
    replies = [e for part in parts for session in part.sessions for e in session.exchanges]
    dropped += dropped_replies((e.skipped, e.reply) for e in replies)
    spared += dropped_replies((e.spared, e.reply) for e in replies if e.skipped is None)
    return Dataset(rows[0], rows[1], config, summary, dropped, spared)


def redacted_config(config: DatasetConfig, redaction: RedactionConfig) -> DatasetConfig:
    """The config as it may be kept beside a redacted dataset: with aliases, and without what they stand for."""
    aliases = redaction.aliases
    person = aliases.get(config.person, config.person)
    also = {aliases.get(name, name) for name in config.also_named} - {person}
    return config.model_copy(
        update={
            "person": person,
            "also_named": tuple(sorted(also)),
            "system_prompt": config.system_prompt and mask_text(config.system_prompt, redaction),
            "redaction": redaction.model_copy(update={"aliases": {}, "words": ()}),
        }
    )


def with_language(messages: pl.DataFrame, config: DatasetConfig) -> DatasetConfig:
    language = config.language or find_language(messages, config.person)
    prompt = default_prompt(language) if config.system_prompt is None else config.system_prompt
    return config.model_copy(update={"language": language, "system_prompt": prompt})


def tokenizer_name(tokenizer: Any) -> str | None:
    """Its Hub id, or the last part of its folder: a dataset does not tell where things lie on this machine."""
    name = str(getattr(tokenizer, "name_or_path", "") or "")
    return (Path(name).name if Path(name).is_absolute() else name) or None


def find_others(messages: pl.DataFrame, config: DatasetConfig) -> list[str]:
    """Everyone but the person, by messages, most first. Raises ChatError where that leaves nobody to talk to."""
    names = people(messages)
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


def check_enough(sessions: Sequence[Session], config: DatasetConfig, hints: Sequence[str]) -> None:
    count = len(learnable(sessions))
    if count < FEWEST_REPLIES:
        replies = "1 reply" if count == 1 else f"{count} replies"
        advice = hints[0] if hints else "take a longer chat or another person."
        raise ChatError(
            f"{config.person} has {replies} to learn from in this chat, and a twin needs at least {FEWEST_REPLIES}: "
            f"{advice}"
        )


class Cut(NamedTuple):
    """Where the held-out part begins."""

    session: int
    exchange: int


@dataclass(frozen=True)
class Part:
    """Sessions of one side of the cut, with the lengths of their exchanges."""

    sessions: list[Session]
    lengths: Lengths


def split_by_time(sessions: Sequence[Session], lengths: Lengths, share: float) -> list[Part]:
    """What comes before and after the cut; a session that is cut is in both.

    The later half keeps the earlier exchanges as context, not to be learned. The earlier half ends at the cut.
    """
    cut = find_cut(sessions, share)
    if cut is None:
        return [Part(list(sessions), list(lengths)), Part([], [])]
    before = Part(list(sessions[: cut.session]), list(lengths[: cut.session]))
    after = Part(list(sessions[cut.session :]), list(lengths[cut.session :]))
    if cut.exchange:
        divided = sessions[cut.session]
        before.sessions.append(replace(divided, exchanges=divided.exchanges[: cut.exchange]))
        before.lengths.append(lengths[cut.session][: cut.exchange])
        after.sessions[0] = unlearn(divided, dict.fromkeys(range(cut.exchange), EARLIER))
    return [before, after]


def keep_chosen(part: Part, most: int) -> Part:
    """The part with all but the chosen replies kept as context only."""
    places = learnable(part.sessions)
    replies = [part.sessions[session].exchanges[place].reply for session, place in places]
    left_out: dict[int, dict[int, str]] = defaultdict(dict)
    for index in set(range(len(places))) - set(choose_replies(replies, most)):
        session, place = places[index]
        left_out[session][place] = "not_chosen"
    return replace(part, sessions=[unlearn(session, left_out[i]) for i, session in enumerate(part.sessions)])


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


def dropped_replies(replies: Iterable[tuple[str | None, str]]) -> list[Dropped]:
    """Replies that have words of their own, by the reason that keeps them from being learned."""
    of_reason: dict[str, list[str]] = {
        "only_media": [],
        "only_call": [],
        "too_long": [],
        "unseen": [],
        "not_chosen": [],
    }
    for reason, reply in replies:
        if reason in of_reason:
            of_reason[reason].append(reply)
    return [Dropped(name, REASONS[name], len(said), tuple(said[:SAMPLES])) for name, said in of_reason.items() if said]


def chat_facts(messages: pl.DataFrame, sessions: Sequence[Session], silence: timedelta) -> dict[str, Any]:
    silences = [session.silence.total_seconds() / 60 for session in sessions if session.silence is not None]
    return {
        "sessions": len(sessions),
        "silence_minutes": silence.total_seconds() / 60,
        "typical_silence_minutes": median(silences) if silences else TYPICAL_SILENCE,
        "first_at": messages["sent_at"].min(),
        "last_at": messages["sent_at"].max(),
        "replies": sum(len(session.exchanges) for session in sessions),
    }


def row_facts(parts: Sequence[Part], rows: Sequence[Sequence[Row]]) -> dict[str, Any]:
    train, validation = rows
    skipped = (exchange.skipped for part in parts for session in part.sessions for exchange in session.exchanges)
    return {
        "validation_from": validation[0].sent_at if validation else None,
        "train_replies": len(learnable(parts[0].sessions)),
        "validation_replies": len(learnable(parts[1].sessions)),
        "train_rows": len(train),
        "validation_rows": len(validation),
        "train_tokens": sum(row.tokens for row in train),
        "validation_tokens": sum(row.tokens for row in validation),
        "dropped": dict(Counts(reason for reason in skipped if reason not in (None, EARLIER))),
    }


def find_hints(messages: pl.DataFrame, config: DatasetConfig) -> list[str]:
    """Sentences on what the user may want to change."""
    spans = messages.drop_nulls("sender").group_by("sender").agg(
        pl.col("sent_at").min().alias("first"), pl.col("sent_at").max().alias("last"), pl.len()
    )  # fmt: skip
    mine = {config.person, *config.also_named}
    own = spans.filter(pl.col("sender").is_in(list(mine)))
    first, last = own["first"].min(), own["last"].max()
    hints = []
    if spans.height - own.height > 1:
        apart = spans.filter(~pl.col("sender").is_in(list(mine)), (pl.col("first") > last) | (pl.col("last") < first))
        for name in apart.sort("len", descending=True)["sender"].head(1):
            hints.append(
                f"{name} never writes in the same weeks as {config.person}: if that is the same person under another "
                "name, add it to the person's other names."
            )
    return hints
