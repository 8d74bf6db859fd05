"""The exam as a picture that can be shown to others: the table, and no word of the chat."""

from __future__ import annotations

from pathlib import Path

from pipeline.evaluation.exam import Exam
from pipeline.evaluation.table import exam_rows
from pipeline.report import INK, MUTED, SOFT, Sheet, fit

__all__ = ["write_picture"]

WIDTH, EDGE, LINE = 1240, 72, 46
LABEL = 500  # points that the names of the figures take
TOP = 250  # where the table begins


def write_picture(exam: Exam, path: Path) -> Path:
    """Draw the exam as a PNG, 1240 points wide; returns its path."""
    header, rows = exam_rows(exam)
    sheet = Sheet(WIDTH, TOP + LINE * (len(rows) + 1) + 150, EDGE)
    sheet.text(EDGE, 104, f"How much is it like {exam.person}?", 52, bold=True, width=sheet.room)
    about = f"A twin ({Path(exam.model).name}) on {exam.held_out_replies:,} replies that it has never seen, beside the"
    sheet.text(EDGE, 150, about, 26, MUTED, width=sheet.room)
    sheet.text(EDGE, 184, "model it began as and the person against themself", 26, MUTED)
    column = (sheet.room - LABEL) / (len(header) - 1)
    twin = header.index("twin") if "twin" in header else 0
    if twin:
        left = EDGE + LABEL + column * (twin - 1) + 14
        sheet.pen.rounded_rectangle((left, TOP - 32, left + column, TOP + LINE * len(rows) + 16), 10, fill=SOFT)
    heads = min(fit(name, 22, column - 16, bold=True) for name in header[1:])
    for number, row in enumerate([header, *rows]):
        y = TOP + LINE * number
        if number:
            sheet.line(EDGE, y - 32, sheet.room)
        indent = 24 if row[0].startswith(" ") else 0
        sheet.text(EDGE + indent, y, row[0].strip(), 25, width=LABEL - indent)
        for place, cell in enumerate(row[1:]):
            size, colour = (25, INK) if number else (heads, MUTED)
            right, bold = EDGE + LABEL + column * (place + 1), bool(twin) and place == twin - 1
            sheet.text(right, y, cell, size, colour, bold=bold, width=column - 16, align="right")
    when = exam.made_at.strftime("%-d %b %Y") + ("" if exam.full else " · quick exam")
    return sheet.save(path, when)
