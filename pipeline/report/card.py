"""The card: how one person writes, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipeline.analysis import Analysis, hide
from pipeline.charts import WEEKDAYS, duration, number, people_colours, percent
from pipeline.errors import ChatError
from pipeline.report.sheet import MUTED, Sheet

__all__ = ["write_card"]

WIDTH, HEIGHT, EDGE = 1080, 1350, 84
COLUMN = 436


def write_card(analysis: Analysis, person: str, path: Path, *, hidden: bool = False) -> Path:
    """Draw the card of one of the analysis's people as a PNG of 1080 by 1350 points; returns its path.

    `hidden` leaves out the name and every word. Raises ChatError where the person wrote nothing in the analysis.
    """
    if person not in analysis.people:
        raise ChatError("This person wrote nothing in these days: choose somebody else, or other days.")
    if hidden:
        place = analysis.everyone.index(person)
        analysis = hide(analysis)
        person = analysis.everyone[place]
    return _draw(analysis, person).save(path)


def _draw(analysis: Analysis, person: str) -> Sheet:
    sheet = Sheet(WIDTH, HEIGHT, EDGE, people_colours(analysis.everyone)[person])
    row = _row(analysis.per_person, person)
    sheet.text(EDGE, 120, _span(analysis), 30, MUTED)
    sheet.text(EDGE, 222, person, 84, bold=True, width=sheet.room)
    wrote = f"{number(row['messages'])} messages, {percent(row['share'])} of {number(analysis.head.messages)}"
    sheet.text(EDGE, 284, wrote, 34, MUTED)
    for place, (value, label) in enumerate(_facts(analysis, person)[:6]):
        x, y = EDGE + (place % 2) * (COLUMN + 40), 390 + (place // 2) * 168
        sheet.line(x, y - 40, COLUMN, 2)
        sheet.text(x, y + 34, value, 62, bold=True, width=COLUMN)
        sheet.text(x, y + 82, label, 28, MUTED)
    _lower(sheet, analysis, person)
    return sheet


def _facts(analysis: Analysis, person: str) -> list[tuple[str, str]]:
    """What the card says in large, as far as the person's messages tell: a value and its label."""
    style, replies = _row(analysis.style, person), _row(analysis.reply_times, person)
    starts, facts = _row(analysis.starts, person), []
    if replies and replies["replies"] >= 20:
        quick = analysis.to_the_minute and replies["median"] < 60
        facts.append(("under a minute" if quick else duration(replies["median"]), "to the middle reply"))
    if style["words_per_message"] is not None:
        facts.append((number(style["words_per_message"], 1), "words a message"))
    if style["bubbles_per_turn"] is not None:
        facts.append((number(style["bubbles_per_turn"], 1), "messages in a row"))
    busiest = analysis.week.filter(pl.col("person").cast(pl.String) == person).sort("messages", "weekday", "hour")
    day, hour = busiest.row(-1)[:2]
    facts.append((f"{WEEKDAYS[day - 1]}, {hour:02d}:00", "the favourite hour"))
    if style["laugh"]:
        facts.append((percent(style["laugh"]), "of the messages laugh"))
    if starts and analysis.starts["started"].sum():
        share = starts["started"] / int(analysis.starts["started"].sum())
        facts.append((percent(share), "of the conversations started"))
    if style["question"]:
        facts.append((percent(style["question"]), "of the messages ask something"))
    if style["lower"]:
        facts.append((percent(style["lower"]), "begin in lower case"))
    return facts


def _lower(sheet: Sheet, analysis: Analysis, person: str) -> None:
    """The favourite emoji, and the words that are this person's more than the others'."""
    y = 940
    emoji = [row["emoji"] for row in _rows(analysis.emoji, person)[:6]]
    for place, sign in enumerate(emoji):
        sheet.text(EDGE + place * 150, y, sign, 84)
    y += 110 if emoji else 0
    words = [row["term"] for row in _rows(analysis.words, person)[:9]]
    if words and len(analysis.people) > 1:
        sheet.text(EDGE, y, "says more than the others", 28, MUTED)
        for place, word in enumerate(words):
            sheet.text(EDGE + place % 3 * 310, y + 54 + place // 3 * 52, word, 36, width=290)


def _span(analysis: Analysis) -> str:
    first, last = analysis.head.first, analysis.head.last
    return f"{first.strftime('%-d %b %Y')} to {last.strftime('%-d %b %Y')}"


def _row(table: pl.DataFrame, person: str) -> dict[str, Any]:
    rows = _rows(table, person)
    return rows[0] if rows else {}


def _rows(table: pl.DataFrame, person: str) -> list[dict[str, Any]]:
    return table.filter(pl.col("person").cast(pl.String) == person).to_dicts()
