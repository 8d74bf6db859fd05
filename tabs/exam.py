"""The twin's exam, a part of the Chat tab: how it does on the end of the chat, which it has never seen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.errors import ChatError
from tabs.talks import BASE
from tabs.visitor import Stage, Visitor, own_run, safely, visitor_of

if TYPE_CHECKING:
    from pipeline.evaluation import Exam

__all__ = ["build", "card"]

NOT_YET = (
    '<p class="quiet">The exam asks how surprised the twin is by what the person really wrote in the part of the chat '
    "that was held out, and whether its own replies end, beside the model it started from. It takes some minutes.</p>"
)


def build(stage: Stage, who: gr.Dropdown) -> gr.HTML:
    """The exam of the twin chosen in `who`; returns the card, to be redrawn by `card` when another is chosen."""
    shown = gr.HTML(elem_id="exam")
    examine = gr.Button("Examine this twin", size="sm", scale=0, min_width=170, elem_id="examine")

    def run_exam(request: gr.Request, who: str | None, progress: gr.Progress = gr.Progress()) -> str:  # noqa: B008
        from pipeline.evaluation import evaluate

        visitor = visitor_of(request)
        if who in (None, "", BASE):
            raise ChatError("Choose a twin to examine: the untrained model has nobody to be like.")
        run_dir = own_run(visitor, who)
        evaluate(run_dir, samples=40, progress=lambda what, done: progress(done, desc=what), loaded=stage.models)
        return card(visitor, who)

    examine.click(safely(run_exam), who, shown, concurrency_id="exam", concurrency_limit=1, api_visibility="private")
    return shown


def card(visitor: Visitor, name: str | None) -> str:
    """The exam as a card, or what it would tell."""
    from pipeline.evaluation import read_exam

    if name in (None, "", BASE):
        return NOT_YET
    exam = read_exam(own_run(visitor, name))
    return NOT_YET if exam is None else _table(exam)


def _table(exam: Exam) -> str:
    from pipeline.evaluation import exam_rows

    header, rows = exam_rows(exam)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        f"<tr><td>{escape(label)}</td>"
        + "".join(
            f'<td class="number" data-of="{escape(of)}">{escape(cell)}</td>'
            for of, cell in zip(header[1:], cells, strict=True)
        )
        + "</tr>"
        for label, *cells in rows
    )
    about = f"On {exam.held_out_replies:,} replies of {escape(exam.person)} that no training has seen."
    table = f'<table class="list exam"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<p class="quiet">{about}</p>{table}'
