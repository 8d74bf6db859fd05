"""Where a figure of `pipeline.charts` stands on the page: its heading, its chart and its HTML."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
from gradio.components.plot import PlotData

from pipeline.charts import STYLE, Figure

__all__ = ["filled", "place", "style"]


def style() -> gr.HTML:
    """The figures' own style sheet, once on each tab that has some."""
    return gr.HTML(f"<style>{STYLE.read_text(encoding='utf-8')}</style>")


def place(name: str) -> tuple[gr.Column, gr.HTML, gr.Plot, gr.HTML]:
    """The components that `filled` gives values to."""
    with gr.Column(visible=False, elem_id=f"figure-{name}", elem_classes="ct figure", min_width=300) as column:
        heading = gr.HTML()
        plot = gr.Plot(show_label=False, container=False, buttons=[])
        body = gr.HTML()
    return column, heading, plot, body


def filled(figure: Figure | None) -> list[Any]:
    """The values of a figure's place; Altair's own checks are left out, since they cost more than all the tables."""
    if figure is None:
        return [gr.Column(visible=False), *[gr.skip()] * 3]
    plot = PlotData(type="altair", plot=json.dumps(figure.spec)) if figure.spec else None
    return [
        gr.Column(visible=True),
        figure.heading(),
        gr.Plot(plot, visible=plot is not None),
        gr.HTML(figure.html, visible=bool(figure.html)),
    ]
