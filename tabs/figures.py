"""Where a figure of `pipeline.charts` stands on the page: its heading, its chart and its HTML."""

from __future__ import annotations

import json
from dataclasses import dataclass

import gradio as gr
from gradio.components.plot import PlotData

from pipeline.charts import STYLE, Figure
from tabs.wiring import Updates

__all__ = ["FigurePlace", "filled", "place", "style"]


# What has no content takes no room; hidden by Gradio, each component of each change would cost a millisecond or two.
HIDE = """
.ct.figure:not(:has(.figure-head)), .ct.figure:not(:has(.plotted)) .figure-plot, .figure-body:not(:has(.filled)) {
  display: none !important; }
"""


def style() -> gr.HTML:
    """The figures' own style sheet, once on each tab that has some."""
    return gr.HTML(f"<style>{STYLE.read_text(encoding='utf-8')}{HIDE}</style>", elem_classes="figures-style")


@dataclass(frozen=True)
class FigurePlace:
    """Where one figure stands."""

    heading: gr.HTML
    plot: gr.Plot
    body: gr.HTML


def place(name: str) -> FigurePlace:
    """The components that `filled` gives values to."""
    with gr.Column(elem_id=f"figure-{name}", elem_classes="ct figure", min_width=300):
        return FigurePlace(
            heading=gr.HTML(),
            plot=gr.Plot(show_label=False, container=False, buttons=[], elem_classes="figure-plot"),
            body=gr.HTML(elem_classes="figure-body"),
        )


def filled(place: FigurePlace, figure: Figure | None) -> Updates:
    """The figure in its place; Altair's own checks are left out, since they cost more than all the tables."""
    if figure is None:
        return {place.heading: "", place.plot: None, place.body: ""}
    plot = PlotData(type="altair", plot=json.dumps(figure.spec)) if figure.spec else None
    return {
        place.heading: f'<div class="plotted">{figure.heading()}</div>' if plot else figure.heading(),
        place.plot: plot,
        place.body: f'<div class="filled">{figure.html}</div>' if figure.html else "",
    }
