"""The exam as a picture that can be shown to others: the table, and no word of the chat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.evaluation.exam import Exam
from pipeline.evaluation.table import exam_rows
from pipeline.report.fonts import draw_text, fit, text_width

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["write_picture"]

WIDTH, EDGE, LINE = 1240, 72, 46
LABEL = 500  # points that the names of the figures take
TOP = 250  # where the table begins
INK, MUTED, PAPER, RULE, TEAL, SOFT = "#1F2430", "#636A76", "#FBFAF7", "#E7E3DA", "#0F766E", "#E3F3F0"


def write_picture(exam: Exam, path: Path) -> Path:
    """Draw the exam as a PNG, 1240 points wide; returns its path."""
    scratch = path.with_suffix(".tmp")
    _draw(exam).save(scratch, "PNG")
    scratch.replace(path)
    return path


def _draw(exam: Exam) -> Image.Image:
    from PIL import Image, ImageDraw

    header, rows = exam_rows(exam)
    height = TOP + LINE * (len(rows) + 1) + 150
    image = Image.new("RGB", (WIDTH, height), PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, WIDTH, 12), fill=TEAL)
    wide = WIDTH - 2 * EDGE
    title = f"How much is it like {exam.person}?"
    draw_text(image, EDGE, 104, title, fit(title, 52, wide, bold=True), INK, bold=True)
    about = f"A twin ({Path(exam.model).name}) on {exam.held_out_replies:,} replies that it has never seen, beside the"
    draw_text(image, EDGE, 150, about, fit(about, 26, wide), MUTED)
    draw_text(image, EDGE, 184, "model it began as and the person against themself", 26, MUTED)
    column = (wide - LABEL) / (len(header) - 1)
    twin = header.index("twin") if "twin" in header else 0
    if twin:
        left = EDGE + LABEL + column * (twin - 1) + 14
        pen.rounded_rectangle((left, TOP - 32, left + column, TOP + LINE * len(rows) + 16), 10, fill=SOFT)
    heads = min(fit(name, 22, column - 16, bold=True) for name in header[1:])
    for number, row in enumerate([header, *rows]):
        y = TOP + LINE * number
        if number:
            pen.line((EDGE, y - 32, WIDTH - EDGE, y - 32), fill=RULE, width=1)
        indent = 24 if row[0].startswith(" ") else 0
        draw_text(image, EDGE + indent, y, row[0].strip(), fit(row[0], 25, LABEL - indent), INK)
        for place, cell in enumerate(row[1:]):
            bold = bool(twin) and place == twin - 1
            size = fit(cell, 25, column - 16, bold=bold) if number else heads
            right = EDGE + LABEL + column * (place + 1)
            at = round(right - text_width(cell, size, bold=bold))
            draw_text(image, at, y, cell, size, INK if number else MUTED, bold=bold)
    foot = "Chat Twin"
    draw_text(image, EDGE, height - 56, foot, 24, TEAL, bold=True)
    when = exam.made_at.strftime("%-d %b %Y") + ("" if exam.full else " · quick exam")
    draw_text(image, round(WIDTH - EDGE - text_width(when, 22)), height - 56, when, 22, MUTED)
    return image
