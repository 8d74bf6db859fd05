"""A twin's exam on the page: what it would tell, and its table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from web.words import time_left

if TYPE_CHECKING:
    from pipeline.evaluation import Exam

__all__ = ["ABOUT_EXAM", "exam_table", "running_exam"]

SURE = 0.05  # of the work: from then on what is left can be told
ABOUT_EXAM = (
    '<p class="quiet">The exam asks how surprised the twin is by what the person really wrote in the part of the chat '
    "that was held out, and whether its own replies end, beside the model it started from. It takes a minute or two "
    "on two cores. The full one takes about five, and adds what the base model replies with a good prompt, style and "
    "classifier for both base models, whether the context is read, and whether one author wrote the whole chat.</p>"
)


def running_exam(done: float, doing: str, seconds: float) -> str:
    """How far it is (`done` of 1) after so many seconds, and how long it will take from there."""
    left = seconds * (1 - done) / done if done > SURE else None
    meter = f'<div class="meter"><i style="width:{100 * done:.0f}%"></i></div>'
    return f'<p class="state">{escape(doing or "Loading the model")}, {time_left(left)}</p>{meter}'


def exam_table(exam: Exam) -> str:
    """The figures of all who took it, and what they mean."""
    from pipeline.evaluation import QUICK_NOTE, exam_notes, exam_rows, turn_rows

    about = f"On {exam.held_out_replies:,} replies of {escape(exam.person)} that no training has seen."
    notes = [*exam_notes(exam), *([] if exam.full else [QUICK_NOTE])]
    said = "".join(f'<p class="quiet">{escape(text)}</p>' for text in notes)
    tables = "".join(_table(*table) for table in (exam_rows(exam), turn_rows(exam)) if table[1])
    return f'<p class="quiet">{about}</p>{tables}{said}'


def _table(header: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th{' class=number' if place else ''}>{escape(cell)}</th>" for place, cell in enumerate(header))
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="number" data-of="{escape(header[place])}">{escape(cell)}</td>' if place
            else f"<td{' class=part' if cell.startswith(' ') else ''}>{escape(cell.strip())}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )  # fmt: skip
    return f'<table class="list exam"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
