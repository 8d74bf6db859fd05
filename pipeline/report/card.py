"""The card: how one person writes, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline.analysis import Analysis, hide
from pipeline.charts import people_colours
from pipeline.charts.figure import duration, number, percent
from pipeline.charts.when import WEEKDAYS
from pipeline.errors import ChatError
from pipeline.report.fonts import draw_text, fit

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["write_card"]

WIDTH, HEIGHT, EDGE = 1080, 1350, 84
COLUMN = 436
INK, MUTED, PAPER, LINE, TEAL = "#1F2430", "#636A76", "#FBFAF7", "#E7E3DA", "#0F766E"


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
    _draw(analysis, person).save(path, "PNG")
    return path


def _draw(analysis: Analysis, person: str) -> Image.Image:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, WIDTH, 14), fill=people_colours(analysis.everyone)[person])
    row, wide = _row(analysis.per_person, person), WIDTH - 2 * EDGE
    draw_text(image, EDGE, 120, _span(analysis), 30, MUTED)
    draw_text(image, EDGE, 222, person, fit(person, 84, wide, bold=True), INK, bold=True)
    wrote = f"{number(row['messages'])} messages, {percent(row['share'])} of {number(analysis.head.messages)}"
    draw_text(image, EDGE, 284, wrote, 34, MUTED)
    for place, (value, label) in enumerate(_facts(analysis, person)[:6]):
        x, y = EDGE + (place % 2) * (COLUMN + 40), 390 + (place // 2) * 168
        pen.line((x, y - 40, x + COLUMN, y - 40), fill=LINE, width=2)
        draw_text(image, x, y + 34, value, fit(value, 62, COLUMN, bold=True), INK, bold=True)
        draw_text(image, x, y + 82, label, 28, MUTED)
    _lower(image, analysis, person)
    draw_text(image, EDGE, HEIGHT - 56, "Chat Twin", 26, TEAL, bold=True)
    return image


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


def _lower(image: Image.Image, analysis: Analysis, person: str) -> None:
    """The favourite emoji, and the words that are this person's more than the others'."""
    y = 940
    emoji = [row["emoji"] for row in _rows(analysis.emoji, person)[:6]]
    for place, sign in enumerate(emoji):
        draw_text(image, EDGE + place * 150, y, sign, 84, INK)
    y += 110 if emoji else 0
    words = [row["term"] for row in _rows(analysis.words, person)[:9]]
    if words and len(analysis.people) > 1:
        draw_text(image, EDGE, y, "says more than the others", 28, MUTED)
        for place, word in enumerate(words):
            draw_text(image, EDGE + place % 3 * 310, y + 54 + place // 3 * 52, word, fit(word, 36, 290), INK)


def _span(analysis: Analysis) -> str:
    first, last = analysis.head.first, analysis.head.last
    return f"{first.strftime('%-d %b %Y')} to {last.strftime('%-d %b %Y')}"


def _row(table: pl.DataFrame, person: str) -> dict[str, Any]:
    rows = _rows(table, person)
    return rows[0] if rows else {}


def _rows(table: pl.DataFrame, person: str) -> list[dict[str, Any]]:
    return table.filter(pl.col("person").cast(pl.String) == person).to_dicts()
