"""The learning curve, a part of the Chat tab: would more messages help, or fewer?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from html import escape
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.runs import RunFolder
from tabs.chat.conversations import BASE
from tabs.progress import growing
from tabs.runs import run_folders
from tabs.visitor import Stage, Visitor, own_run, safely, visitor_of
from web.words import count

if TYPE_CHECKING:
    from pipeline.evaluation.learning_curve import LearningCurvePoint

__all__ = ["build", "curves"]

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 20, 34, 40
ABOUT = (
    '<p class="quiet">Trains on the latest eighth, quarter and half of the replies, as this twin was trained on all, '
    "and examines each. It takes about as long as training this twin did. Leave the page open: a closed page stops "
    "it, and a click goes on from there.</p>"
)


def curves(folder: Path) -> list[Path]:
    """The learning curves of a workspace: folders whose `runs` may be training."""
    return [RunFolder(run).learning_curve.path for run in run_folders(Visitor(folder))]


def build(stage: Stage, who: gr.Dropdown) -> None:
    """The learning curve of the twin chosen in `who`: none yet, running, done."""
    private: dict[str, Any] = {"api_visibility": "private"}
    quiet: dict[str, Any] = {"show_progress": "hidden", **private}
    shown = gr.HTML(ABOUT, elem_id="learning")
    with gr.Row(elem_classes="actions"):
        draw = gr.Button("Draw the curve", size="sm", scale=0, min_width=160, elem_id="learning-draw")
        stop = gr.Button("Stop", size="sm", visible=False, scale=0, min_width=90, elem_id="learning-stop")

    def follow(request: gr.Request, who: str | None) -> Iterator[list[Any]]:
        """Outputs [shown, draw, stop] as the curve grows."""
        from pipeline.evaluation.learning_curve import learning_curve, read_learning_curve

        visitor = visitor_of(request)
        if who in (None, "", BASE):
            raise ChatError("Choose a twin first: the curve is of how it was trained.")
        run_dir = own_run(visitor, who)
        draw_it = partial(learning_curve, run_dir, loaded=stage.models)
        steps = growing(lambda progress: draw_it(progress=progress))
        yield [ABOUT, gr.Button(visible=False), gr.Button(visible=True)]
        try:
            for done, doing in steps:
                yield [_running(done, doing, read_learning_curve(run_dir)), gr.skip(), gr.skip()]
        except ChatError:
            yield [_card(visitor, who), *_buttons()]
            raise
        finally:
            steps.close()  # type: ignore[attr-defined]
        yield [_card(visitor, who), *_buttons()]

    who.change(safely(_draw), who, [shown, draw, stop], **quiet)
    drawing = draw.click(safely(follow), who, [shown, draw, stop], concurrency_id="curve", concurrency_limit=1, **quiet)
    stop.click(safely(_draw), who, [shown, draw, stop], cancels=[drawing], **quiet)


def _buttons() -> list[Any]:
    return [gr.Button(visible=True), gr.Button(visible=False)]


def _draw(request: gr.Request, who: str | None) -> list[Any]:
    return [_card(visitor_of(request), who), *_buttons()]


def _card(visitor: Visitor, name: str | None) -> str:
    from pipeline.evaluation.learning_curve import read_learning_curve, verdict

    points = [] if name in (None, "", BASE) else read_learning_curve(own_run(visitor, name))
    if not points:
        return ABOUT
    return f'<p class="state">{escape(verdict(points))}</p>{_chart(points)}{_table(points)}'


def _running(done: float, doing: str, points: Sequence[LearningCurvePoint]) -> str:
    meter = f'<div class="meter"><i style="width:{100 * done:.0f}%"></i></div>'
    drawn = _chart(points) if points else ""
    return f'<p class="state">{escape(doing)}</p>{meter}{drawn}'


def _table(points: Sequence[LearningCurvePoint]) -> str:
    names = ("bits a character", "end by themselves", "told apart")
    rows = ""
    for point in points:
        accuracy = "" if point.classifier_accuracy is None else f"{point.classifier_accuracy:.0%}"
        cells = zip(names, (f"{point.bits_per_character:.3f}", f"{point.ended:.0%}", accuracy), strict=True)
        numbers = "".join(f'<td class="number" data-of="{name}">{cell}</td>' for name, cell in cells)
        rows += f"<tr><td>{count(point.replies, 'reply', 'replies')}</td>{numbers}</tr>"
    head = "".join(f'<th class="number">{name}</th>' for name in names)
    return f'<table class="list exam"><thead><tr><th>Learned from</th>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _chart(points: Sequence[LearningCurvePoint]) -> str:
    """Bits a character against replies learned from, both as far as they go; the base model as a line to get under."""
    base = points[0].base_bits_per_character
    bits = [point.bits_per_character for point in points]
    low, high = min([*bits, base]), max([*bits, base])
    margin = max((high - low) * 0.15, 0.02)
    low, high = low - margin, high + margin
    first, last = log(points[0].replies), log(max(points[-1].replies, points[0].replies + 1))

    def place(replies: float, value: float) -> tuple[float, float]:
        x = LEFT + 30 + (WIDTH - LEFT - RIGHT - 60) * (log(replies) - first) / (last - first)
        return x, TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    parts = []
    for step in range(4):
        value = low + (high - low) * step / 3
        y = place(points[0].replies, value)[1]
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    y = place(points[0].replies, base)[1]
    parts.append(f'<line class="before" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
    parts.append(f'<text class="axis" x="{WIDTH - RIGHT}" y="{y - 6:.1f}" text-anchor="end">the base model</text>')
    dots = [place(point.replies, point.bits_per_character) for point in points]
    parts.append(f'<polyline class="smooth" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in dots)}"/>')
    for (x, y), point in zip(dots, points, strict=True):
        parts.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
        parts.append(f'<text class="axis" x="{x:.1f}" y="{HEIGHT - 16}" text-anchor="middle">{point.replies:,}</text>')
    title = f'<text class="axis" x="{LEFT}" y="16">bits a character of the real replies, by replies learned from</text>'
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Learning curve">'
        f"{title}{''.join(parts)}</svg>"
    )
