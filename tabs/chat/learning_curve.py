"""The learning curve, a part of the Chat tab: would more messages help, or fewer?"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gradio as gr

from pipeline.errors import ChatError
from tabs.progress import growing
from tabs.visitor import Stage, own_twin, safely, visitor_of
from tabs.wiring import QUIET, Updates, parts
from web.views.learning_curve import ABOUT_LEARNING_CURVE, learning_curve_html, running_learning_curve

__all__ = ["LearningCurvePanel", "build"]


@dataclass(frozen=True)
class LearningCurvePanel:
    """The learning curve of a twin: none yet, running, done."""

    shown: gr.HTML
    draw: gr.Button
    stop: gr.Button


def build(stage: Stage, who: gr.Dropdown) -> LearningCurvePanel:
    """The learning curve of the twin chosen in `who`."""
    shown = gr.HTML(ABOUT_LEARNING_CURVE, elem_id="learning")
    with gr.Row(elem_classes="actions"):
        draw = gr.Button("Draw the curve", size="sm", scale=0, min_width=160, elem_id="learning-draw")
        stop = gr.Button("Stop", size="sm", visible=False, scale=0, min_width=90, elem_id="learning-stop")
    panel = LearningCurvePanel(shown, draw, stop)
    changed = parts(panel)
    who.change(safely(_draw, panel), who, changed, **QUIET)
    drawing = draw.click(
        safely(_grow, panel, stage), who, changed, concurrency_id="curve", concurrency_limit=1, **QUIET
    )
    stop.click(safely(_draw, panel), who, changed, cancels=[drawing], **QUIET)
    return panel


def _grow(
    panel: LearningCurvePanel, stage: Stage, request: gr.Request, who: str | None
) -> Generator[Updates, None, None]:
    """The learning curve as it grows."""
    from pipeline.evaluation import learning_curve, read_learning_curve

    visitor = visitor_of(request)
    run_dir = own_twin(visitor, who)
    if run_dir is None:
        raise ChatError("Choose a twin first: the curve is of how it was trained.")
    draw_it = partial(learning_curve, run_dir, loaded=stage.models)
    yield {
        panel.shown: ABOUT_LEARNING_CURVE,
        panel.draw: gr.Button(visible=False),
        panel.stop: gr.Button(visible=True),
    }

    def grown(done: float, doing: str) -> Updates:
        return {panel.shown: running_learning_curve(done, doing, read_learning_curve(run_dir))}

    try:
        yield from growing(lambda progress: draw_it(progress=progress), grown)
    except ChatError:
        yield _drawn(panel, run_dir)
        raise
    yield _drawn(panel, run_dir)


def _draw(panel: LearningCurvePanel, request: gr.Request, who: str | None) -> Updates:
    return _drawn(panel, own_twin(visitor_of(request), who))


def _drawn(panel: LearningCurvePanel, run_dir: Path | None) -> Updates:
    """The learning curve as it is kept, and the buttons as they were."""
    from pipeline.evaluation import read_learning_curve

    return {
        panel.shown: learning_curve_html(read_learning_curve(run_dir) if run_dir else []),
        panel.draw: gr.Button(visible=True),
        panel.stop: gr.Button(visible=False),
    }
