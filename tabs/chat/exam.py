"""The twin's exam, a part of the Chat tab: how it does on the end of the chat, which it has never seen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from tabs.chat.conversations import BASE
from tabs.progress import on_page
from tabs.visitor import Stage, Visitor, download_link, own_run, safely, visitor_of

if TYPE_CHECKING:
    from pipeline.evaluation import Exam

__all__ = ["build"]

QUICK_SAMPLES, FULL_SAMPLES = 40, 100
NOT_YET = (
    '<p class="quiet">The exam asks how surprised the twin is by what the person really wrote in the part of the chat '
    "that was held out, and whether its own replies end, beside the model it started from. It takes a minute or two "
    "on two cores. The full one takes about five, and adds what the base model replies with a good prompt, style and "
    "classifier for both base models, whether the context is read, and whether one author wrote the whole chat.</p>"
)


def build(stage: Stage, who: gr.Dropdown) -> None:
    """The exam of the twin chosen in `who`."""
    private: dict[str, Any] = {"api_visibility": "private"}
    shown = gr.HTML(NOT_YET, elem_id="exam")
    with gr.Row(elem_classes="actions"):
        quick = gr.Button("Examine this twin", size="sm", scale=0, min_width=170, elem_id="examine")
        full = gr.Button("The full exam", size="sm", scale=0, min_width=150, elem_id="examine-full")

    def run_exam(request: gr.Request, who: str | None, full: bool, bar: gr.Progress = gr.Progress()) -> str:  # noqa: B008
        from pipeline.evaluation import evaluate

        visitor = visitor_of(request)
        if who in (None, "", BASE):
            raise ChatError("Choose a twin to examine: the untrained model has nobody to be like.")

        samples = FULL_SAMPLES if full else QUICK_SAMPLES
        evaluate(own_run(visitor, who), samples=samples, full=full, progress=on_page(bar), loaded=stage.models)
        return _card(visitor, who)

    who.change(safely(_draw), who, shown, show_progress="hidden", **private)
    for button, is_full in ((quick, False), (full, True)):
        thorough = gr.State(is_full)
        button.click(safely(run_exam), [who, thorough], shown, concurrency_id="exam", concurrency_limit=1, **private)


def _draw(request: gr.Request, who: str | None) -> str:
    return _card(visitor_of(request), who)


def _card(visitor: Visitor, name: str | None) -> str:
    """The exam as a card, or what it would tell."""
    from pipeline.evaluation import read_exam
    from pipeline.runs import RunFolder

    if name in (None, "", BASE):
        return NOT_YET
    run_dir = own_run(visitor, name)
    exam = read_exam(run_dir)
    if exam is None:
        return NOT_YET
    picture = RunFolder(run_dir).picture
    link = f"<p>{download_link(visitor, picture, 'Save as a picture')}</p>" if picture.is_file() else ""
    return _table(exam) + link


def _table(exam: Exam) -> str:
    from pipeline.evaluation import QUICK_NOTE, exam_notes, exam_rows

    header, rows = exam_rows(exam)
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
    about = f"On {exam.held_out_replies:,} replies of {escape(exam.person)} that no training has seen."
    notes = [*exam_notes(exam), *([] if exam.full else [QUICK_NOTE])]
    said = "".join(f'<p class="quiet">{escape(text)}</p>' for text in notes)
    table = f'<table class="list exam"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<p class="quiet">{about}</p>{table}{said}'
