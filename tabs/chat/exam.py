"""The twin's exam, a part of the Chat tab: how it does on the end of the chat, which it has never seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.progress import Progress
from pipeline.runs import RunFolder
from pipeline.visitors import Visitor, finished_runs, own_run
from tabs.progress import growing
from tabs.visitor import Stage, download_link, own_twin, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates, parts
from web.views.exam import ABOUT_EXAM, exam_table, running_exam
from web.views.run import run_label

if TYPE_CHECKING:
    from pipeline.evaluation import Exam

__all__ = ["ExamPanel", "build"]

QUICK_SAMPLES, FULL_SAMPLES = 40, 100


@dataclass(frozen=True)
class ExamPanel:
    """The exam of a twin: not taken yet, being taken, or its figures; and what may be added to it."""

    shown: gr.HTML
    actions: gr.Row
    quick: gr.Button
    full: gr.Button
    turns: gr.Button
    beside: gr.Row
    other: gr.Dropdown
    swap: gr.Button
    stop: gr.Button


def build(stage: Stage, who: gr.Dropdown) -> ExamPanel:
    """The exam of the twin chosen in `who`."""
    shown = gr.HTML(ABOUT_EXAM, elem_id="exam")
    small: dict[str, Any] = {"size": "sm", "scale": 0}
    with gr.Row(elem_classes="actions") as actions:
        quick = gr.Button("Examine this twin", min_width=170, elem_id="examine", **small)
        full = gr.Button("The full exam", min_width=150, elem_id="examine-full", **small)
        turns = gr.Button("Turn by turn", min_width=140, elem_id="examine-turns", **small)
    with gr.Row(elem_classes="actions", visible=False) as beside:
        other = gr.Dropdown([], label="Another person's twin", elem_id="examine-other", filterable=False, min_width=280)
        swap = gr.Button("Whose is whose?", min_width=160, elem_id="examine-swap", **small)
    stop = gr.Button("Stop", visible=False, min_width=90, elem_id="examine-stop", **small)
    panel = ExamPanel(shown, actions, quick, full, turns, beside, other, swap, stop)
    changed = parts(panel)
    one_at_a_time = {"concurrency_id": "exam", "concurrency_limit": 1, **QUIET}
    who.change(safely(_draw, panel), who, changed, **QUIET)
    taking: list[Any] = [
        button.click(safely(_take, panel, stage, kind), [who, other], changed, **one_at_a_time)
        for button, kind in ((quick, "quick"), (full, "full"), (turns, "turns"), (swap, "swap"))
    ]
    ended = stop.click(None, None, None, cancels=taking, **PRIVATE)
    ended.then(safely(_draw, panel), who, changed, **QUIET)
    return panel


def _take(
    panel: ExamPanel, stage: Stage, kind: str, request: gr.Request, who: str | None, other: str | None
) -> Generator[Updates, None, None]:
    """An exam, or what is added to one, as it goes on."""
    visitor = visitor_of(request)
    run_dir = own_twin(visitor, who)
    if run_dir is None:
        raise ChatError("Choose a twin to examine: the untrained model has nobody to be like.")
    task = _task(stage, kind, run_dir, own_run(visitor, other) if kind == "swap" and other else None)
    began = time.monotonic()
    hidden = (panel.actions, panel.beside)
    yield {panel.shown: running_exam(0, "", 0), **{row: gr.Row(visible=False) for row in hidden},
           panel.stop: gr.Button(visible=True)}  # fmt: skip

    def grown(done: float, doing: str) -> Updates:
        return {panel.shown: running_exam(done, doing, time.monotonic() - began)}

    try:
        yield from growing(task, grown)
    except ChatError:
        yield _drawn(panel, visitor, run_dir)
        raise
    yield _drawn(panel, visitor, run_dir)


def _task(stage: Stage, kind: str, run_dir: Path, other: Path | None) -> Callable[[Progress], Exam]:
    from pipeline.evaluation import evaluate, examine_further

    if kind in ("quick", "full"):
        samples, full = (FULL_SAMPLES, True) if kind == "full" else (QUICK_SAMPLES, False)
        return lambda progress: evaluate(run_dir, samples=samples, full=full, progress=progress, loaded=stage.models)
    further = partial(examine_further, run_dir, samples=QUICK_SAMPLES, loaded=stage.models)
    return lambda progress: further(swap=other, by_turn=kind == "turns", progress=progress)


def _draw(panel: ExamPanel, request: gr.Request, who: str | None) -> Updates:
    visitor = visitor_of(request)
    return _drawn(panel, visitor, own_twin(visitor, who))


def _drawn(panel: ExamPanel, visitor: Visitor, run_dir: Path | None) -> Updates:
    """The exam as it is kept, and the twins that this one can be put beside."""
    others = [(run_label(folder), folder.name) for folder in _of_others(visitor, run_dir)]
    return {
        panel.shown: _card(visitor, run_dir),
        panel.actions: gr.Row(visible=True),
        panel.beside: gr.Row(visible=bool(others)),
        panel.other: gr.Dropdown(others, value=others[0][1] if others else None),
        panel.stop: gr.Button(visible=False),
    }


def _of_others(visitor: Visitor, run_dir: Path | None) -> list[Path]:
    """The visitor's runs of people other than this run's."""
    runs = {folder: _person(folder) for folder in finished_runs(visitor)}
    return [] if run_dir is None else [folder for folder, person in runs.items() if person != _person(run_dir)]


def _person(run_dir: Path) -> str:
    from pipeline.dataset import read_about

    return read_about(RunFolder(run_dir).dataset.path)[0].person


def _card(visitor: Visitor, run_dir: Path | None) -> str:
    """The exam as a card, or what it would tell."""
    from pipeline.evaluation import read_exam

    exam = read_exam(run_dir) if run_dir else None
    if run_dir is None or exam is None:
        return ABOUT_EXAM
    picture = RunFolder(run_dir).picture
    link = f"<p>{download_link(visitor, picture, 'Save as a picture')}</p>" if picture.is_file() else ""
    return exam_table(exam) + link
