"""What it means, a part of the Fine-tune tab: the model's numbers, its weights in four bits, and a rank, as toys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from pipeline.visitors import finished_runs
from tabs.visitor import safely, visitor_of
from tabs.wiring import QUIET
from web.views.explain import RANKS, low_rank_html, number_html, weights_html

__all__ = ["ExplainPanel", "build"]


@dataclass(frozen=True)
class ExplainPanel:
    """Three toys: what is chosen, and its drawing."""

    number: gr.Textbox
    bits: gr.HTML
    projection: gr.Dropdown
    block: gr.Slider
    weights: gr.HTML
    rank: gr.Dropdown
    low_rank: gr.HTML


def build(fold: gr.Accordion, model: gr.Dropdown) -> ExplainPanel:
    """The fold's insides; they are drawn when it is opened, and again as something is changed."""
    panel = _layout()
    latest: dict[str, Any] = {"trigger_mode": "always_last", **QUIET}
    gr.on([fold.expand, panel.number.change], safely(number_html), panel.number, panel.bits, **latest)
    matrix = [fold.expand, model.change, panel.projection.change]
    gr.on(
        [*matrix, panel.block.change], safely(_weights), [model, panel.projection, panel.block], panel.weights,
        **latest,
    )  # fmt: skip
    gr.on(
        [*matrix, panel.rank.change], safely(_low_rank), [model, panel.projection, panel.rank], panel.low_rank,
        **latest,
    )  # fmt: skip
    return panel


def _layout() -> ExplainPanel:
    from pipeline.explain import matrix_names
    from pipeline.planning import DEFAULT_RANK

    number = gr.Textbox("0.1", label="A number", max_lines=1, elem_id="a-number")
    bits = gr.HTML(elem_id="bits")
    with gr.Row():
        projection = gr.Dropdown(
            list(matrix_names()), value="q_proj", label="A matrix of the model's middle layer", elem_id="a-matrix"
        )
        block = gr.Slider(1, 100, value=1, step=1, label="Which 64 of its weights")
    weights = gr.HTML(elem_id="weights")
    rank = gr.Dropdown([str(rank) for rank in RANKS], value=str(DEFAULT_RANK), label="Rank", elem_id="a-rank")
    return ExplainPanel(number, bits, projection, block, weights, rank, gr.HTML(elem_id="thin"))


def _weights(model: str | None, projection: str, block: float) -> str:
    return weights_html((model or "starter").strip(), projection, int(block))


def _low_rank(request: gr.Request, model: str | None, projection: str, rank: str) -> str:
    runs = finished_runs(visitor_of(request))
    return low_rank_html((model or "starter").strip(), projection, int(rank), runs)
