"""A learning curve on the page: what it would tell, how far it is, what it says."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pipeline.charts import learning_curve
from web.words import count

if TYPE_CHECKING:
    from pipeline.evaluation import LearningCurvePoint

__all__ = ["ABOUT_LEARNING_CURVE", "learning_curve_html", "running_learning_curve"]

ABOUT_LEARNING_CURVE = (
    '<p class="quiet">Trains on the latest eighth, quarter and half of the replies, as this twin was trained on all, '
    "and examines each. It takes about as long as training this twin did. Leave the page open: a closed page stops "
    "it, and a click goes on from there.</p>"
)


def learning_curve_html(points: Sequence[LearningCurvePoint]) -> str:
    """The verdict, the curve and its figures; what it would tell where there are none."""
    from pipeline.evaluation import verdict

    if not points:
        return ABOUT_LEARNING_CURVE
    return f'<p class="state">{escape(verdict(points))}</p>{_drawn(points)}{_table(points)}'


def running_learning_curve(done: float, doing: str, points: Sequence[LearningCurvePoint]) -> str:
    """How far it is (`done` of 1), with the curve so far."""
    meter = f'<div class="meter"><i style="width:{100 * done:.0f}%"></i></div>'
    return f'<p class="state">{escape(doing)}</p>{meter}{_drawn(points) if points else ""}'


def _drawn(points: Sequence[LearningCurvePoint]) -> str:
    return learning_curve(
        [(point.replies, point.bits_per_character) for point in points], points[0].base_bits_per_character
    )


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
