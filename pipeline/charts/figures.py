"""All figures of an analysis, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from pipeline.analysis import Analysis
from pipeline.charts import (
    replies,
    style,
    when,
)
from pipeline.charts.figure import Figure, duration, isolate, number
from pipeline.charts.shown import shown

__all__ = ["ORDER", "figures", "opening"]

ORDER = {
    "volume": when.volume,
    "people": when.people,
    "enough": style.enough,
    "week": when.week,
    "share": when.share,
    "reply_times": replies.reply_times,
    "reply_trend": replies.reply_trend,
    "starts": replies.starts,
    "double_texts": replies.double_texts,
    "silences": when.silences,
    "answers": replies.answers,
    "fingerprint": style.fingerprint,
    "lengths": style.lengths,
    "bubbles": style.bubbles,
    "emoji": style.emoji,
    "words": style.words,
    "phrases": style.phrases,
    "laughter": style.laughter,
    "languages": style.languages,
}


def figures(analysis: Analysis, first: str | None = None, names: Iterable[str] = tuple(ORDER)) -> dict[str, Figure]:
    """The figures that this chat has, by name; `first` (the person to imitate) gets the first colour."""
    view = shown(analysis, first)
    drawn = {name: ORDER[name](view) for name in names}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def opening(analysis: Analysis) -> str:
    """HTML of the first screen: one sentence that the chat says of itself, and the head figures."""
    head = analysis.head
    facts = [
        (number(head.messages), "messages"),
        (number(head.people), "people" if head.people != 1 else "person"),
        (number(head.words), "words"),
        (number(head.days), f"days, {number(head.active_days)} of them with messages" if head.days != 1 else "day"),
    ]
    if head.media:
        facts.append((number(head.media), "photos, voice messages and files"))
    cells = "".join(f"<div><b>{value}</b><span>{what}</span></div>" for value, what in facts)
    span = f"{head.first.strftime('%-d %B %Y')} to {head.last.strftime('%-d %B %Y')}"
    if head.first.date() == head.last.date():
        span = head.first.strftime("%-d %B %Y")
    return (
        f'<div class="opening"><h2 dir="ltr">{escape(_sentence(analysis))}</h2>'
        f'<p class="note">{span}. {when.CLOCK}</p><div class="facts">{cells}</div></div>'
    )


def _sentence(analysis: Analysis) -> str:
    head = analysis.head
    said = f"{number(head.messages)} message{'s' * (head.messages != 1)} in {duration(86400 * max(2, head.days))}"
    if head.days < 2:
        said = f"{number(head.messages)} messages in one day"
    names = analysis.people
    if len(names) == 1:
        return f"{isolate(names[0])} wrote {said}."
    who = "The two of them" if len(names) == 2 else f"{number(len(names))} people"
    if len(names) > 2:
        return f"{who} wrote {said}; {isolate(names[0])} wrote most."
    lead, other = names
    per = dict(analysis.per_person.select("person", "messages").iter_rows())
    more = when.compare(per[lead] / per[other])
    clause = f"{isolate(lead)} writes {more} {isolate(other)}"
    medians = {str(name): median for name, median in analysis.reply_times.select("person", "median").iter_rows()}
    if len(medians) == 2 and min(medians.values()) * 1.25 < max(medians.values()):
        quick = min(medians, key=lambda name: medians[name])
        clause += f", {isolate(quick)} answers faster"
    return f"{who} wrote {said}; {clause}."
