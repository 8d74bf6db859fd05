"""Every table of a chat at once: what the tab, the report and the card are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from pipeline.analysis import activity, conversations, style, words
from pipeline.analysis.activity import Bucket, Head
from pipeline.analysis.enough import enough
from pipeline.analysis.languages import languages
from pipeline.analysis.prepare import Prepared, prepare, select
from pipeline.analysis.words import Tokens

__all__ = ["Analysis", "analyse", "summary"]


@dataclass(frozen=True)
class Analysis:
    """The head figures and the tables; each table's columns are told by the function of the same name."""

    head: Head
    people: tuple[str, ...]  # most messages first; of the chosen people and days
    everyone: tuple[str, ...]  # of the whole chat, in the order in which colours are given
    silence: timedelta
    to_the_minute: bool
    bucket: Bucket
    per_person: pl.DataFrame
    volume: pl.DataFrame
    week: pl.DataFrame
    silences: pl.DataFrame
    streaks: pl.DataFrame
    starts: pl.DataFrame
    reply_times: pl.DataFrame
    reply_histogram: pl.DataFrame
    reply_trend: pl.DataFrame
    trend_bucket: Bucket
    answers: pl.DataFrame
    style: pl.DataFrame
    lengths: pl.DataFrame
    bubbles: pl.DataFrame
    emoji: pl.DataFrame
    laughter: pl.DataFrame
    greetings: pl.DataFrame
    words: pl.DataFrame
    words_every: int  # one message in so many was read for its words
    phrases: pl.DataFrame
    phrases_every: int
    languages: pl.DataFrame
    enough: pl.DataFrame


def analyse(
    messages: pl.DataFrame | Prepared,
    *,
    since: date | None = None,
    until: date | None = None,
    people: Sequence[str] | None = None,
    bucket: Bucket | None = None,
    with_words: bool = True,
) -> Analysis:
    """Count every table of a chat, or of the part of it between two days (both included) by these people.

    `messages` are those of `pipeline.messages`, or what `prepare` made of them. `bucket` is the step of the tables over
    time, by default chosen from the span. Without words, which take as long as the rest, `words` and `phrases` are
    empty. Raises ChatError where there is nothing to count.
    """
    whole = messages if isinstance(messages, Prepared) else prepare(messages)
    part = select(whole, since, until, people)
    days = select(whole, since, until) if people else part
    head = activity.head(part.messages)
    step = bucket or activity.choose_bucket(head.first.date(), head.last.date())
    tokens = part.tokens if with_words else replace(part.tokens, words=part.tokens.words.clear())
    return Analysis(
        head=head,
        people=part.people,
        everyone=whole.people,
        silence=whole.silence,
        to_the_minute=whole.to_the_minute,
        bucket=step,
        per_person=activity.per_person(part.messages),
        volume=activity.volume(part.messages, step),
        week=activity.week(part.messages),
        silences=activity.silences(days.messages),
        streaks=activity.streaks(days.messages),
        starts=conversations.starts(part.messages, part.turns),
        reply_times=conversations.reply_times(part.turns),
        reply_histogram=conversations.reply_histogram(part.turns),
        **_trend(part, step),
        answers=conversations.answers(part.turns),
        style=style.fingerprints(part.messages, part.turns),
        lengths=style.length_histogram(part.messages),
        bubbles=style.bubble_histogram(part.turns),
        emoji=words.top_emoji(part.emoji),
        laughter=words.laughter(part.laughs),
        greetings=words.greetings(part.messages),
        **_word_tables(tokens),
        languages=languages(part.stretches),
        enough=enough(part.messages, part.turns),
    )


def _word_tables(tokens: Tokens) -> dict[str, Any]:
    fewer = words.thin(tokens)
    return {
        "words": words.distinctive(words.word_counts(tokens), tokens.terms),
        "words_every": tokens.every,
        "phrases": words.distinctive(words.phrase_counts(fewer), fewer.terms),
        "phrases_every": fewer.every,
    }


def _trend(part: Prepared, step: Bucket) -> dict[str, Any]:
    """Reply times over time, in steps so long that those who write most have a point in at least half of them."""
    counted = part.messages["person"].value_counts()
    leads = counted.filter(pl.col("count") == pl.col("count").max())["person"]
    of_leads = pl.col("person").is_in(leads.implode())
    steps: tuple[Bucket, ...] = ("day", "week", "month")
    for longer in steps[steps.index(step) :]:
        trend = conversations.reply_trend(part.turns, longer)
        active = activity.volume(part.messages.filter(of_leads), longer).height
        if 2 * trend.filter(of_leads).height >= active:
            break
    return {"reply_trend": trend, "trend_bucket": longer}


def summary(analysis: Analysis) -> dict[str, Any]:
    """The head figures and the tables of one row a person, ready for JSON (dates as ISO text)."""
    head = analysis.head
    tables = ("per_person", "starts", "reply_times", "style", "languages", "enough")
    return {
        "messages": head.messages,
        "people": head.people,
        "words": head.words,
        "media": head.media,
        "first": head.first.isoformat(),
        "last": head.last.isoformat(),
        "days": head.days,
        "active_days": head.active_days,
        "silence_minutes": analysis.silence.total_seconds() / 60,
        **{name: _rows(getattr(analysis, name)) for name in tables},
    }


def _rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    dates = [pl.col(name).dt.to_string("iso:strict") for name, kind in table.schema.items() if kind == pl.Datetime]
    return table.with_columns(pl.col("person").cast(pl.String), *dates).to_dicts()
