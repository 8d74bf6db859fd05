"""The twin's exam, a part of the Chat tab: how it does on the end of the chat, which it has never seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from pipeline.errors import ChatError
from pipeline.runs import RunFolder
from pipeline.visitors import Visitor
from tabs.progress import on_page
from tabs.visitor import Stage, download_link, own_twin, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates
from web.views.exam import ABOUT_EXAM, exam_table

__all__ = ["ExamPanel", "build"]

QUICK_SAMPLES, FULL_SAMPLES = 40, 100


@dataclass(frozen=True)
class ExamPanel:
    """The exam of a twin: not taken yet, or its figures."""

    shown: gr.HTML
    quick: gr.Button
    full: gr.Button


def build(stage: Stage, who: gr.Dropdown) -> ExamPanel:
    """The exam of the twin chosen in `who`."""
    shown = gr.HTML(ABOUT_EXAM, elem_id="exam")
    with gr.Row(elem_classes="actions"):
        quick = gr.Button("Examine this twin", size="sm", scale=0, min_width=170, elem_id="examine")
        full = gr.Button("The full exam", size="sm", scale=0, min_width=150, elem_id="examine-full")
    panel = ExamPanel(shown, quick, full)
    one_at_a_time = {"concurrency_id": "exam", "concurrency_limit": 1, **PRIVATE}
    who.change(safely(_draw, panel), who, shown, **QUIET)
    quick.click(safely(_examine, panel, stage, False), who, shown, **one_at_a_time)
    full.click(safely(_examine, panel, stage, True), who, shown, **one_at_a_time)
    return panel


def _examine(
    panel: ExamPanel,
    stage: Stage,
    full: bool,
    request: gr.Request,
    who: str | None,
    bar: gr.Progress = gr.Progress(),  # noqa: B008
) -> Updates:
    from pipeline.evaluation import evaluate

    visitor = visitor_of(request)
    run_dir = own_twin(visitor, who)
    if run_dir is None:
        raise ChatError("Choose a twin to examine: the untrained model has nobody to be like.")
    samples = FULL_SAMPLES if full else QUICK_SAMPLES
    evaluate(run_dir, samples=samples, full=full, progress=on_page(bar), loaded=stage.models)
    return {panel.shown: _card(visitor, run_dir)}


def _draw(panel: ExamPanel, request: gr.Request, who: str | None) -> Updates:
    visitor = visitor_of(request)
    return {panel.shown: _card(visitor, own_twin(visitor, who))}


def _card(visitor: Visitor, run_dir: Path | None) -> str:
    """The exam as a card, or what it would tell."""
    from pipeline.evaluation import read_exam

    exam = read_exam(run_dir) if run_dir else None
    if run_dir is None or exam is None:
        return ABOUT_EXAM
    picture = RunFolder(run_dir).picture
    link = f"<p>{download_link(visitor, picture, 'Save as a picture')}</p>" if picture.is_file() else ""
    return exam_table(exam) + link
