"""The rows of a dataset one by one, a part of the Dataset tab: as a chat, and as the tokens that the model sees."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.blocks import Block

from pipeline.errors import ChatError
from tabs.visitor import safely
from tabs.wiring import PRIVATE, QUIET, Updates, Values
from web.views.dataset import row_as_chat, row_as_tokens

if TYPE_CHECKING:
    from pipeline.dataset import Dataset, Row

__all__ = ["RowPanel", "build", "first_row", "no_row", "starter_tokenizer", "wire"]

FOLD = "As the model sees this row"


@dataclass(frozen=True)
class RowPanel:
    """One row, and the buttons that turn pages; `at` is its number, from 0."""

    shown: gr.HTML
    earlier: gr.Button
    later: gr.Button
    fold: gr.Accordion
    tokens: gr.HTML
    at: gr.State


def build() -> RowPanel:
    """The part's components."""
    shown = gr.HTML(elem_id="rows")
    with gr.Row(elem_classes="actions"):
        earlier = gr.Button("Earlier", size="sm", scale=0, min_width=100)
        later = gr.Button("Later", size="sm", scale=0, min_width=100, elem_id="later-row")
    with gr.Accordion(FOLD, open=False, elem_classes="fold", elem_id="row-tokens") as fold:
        tokens = gr.HTML()
    return RowPanel(shown, earlier, later, fold, tokens, gr.State(0))


def wire(panel: RowPanel, settings: Collection[Block], current: Callable[[gr.Request, Values], Dataset]) -> None:
    """Turn pages; tell tokens apart once they are asked for. `current` is the dataset on the page."""

    def turn(step: int, request: gr.Request, values: Values) -> Updates:
        rows = current(request, values).train
        return _row(panel, rows, (values[panel.at] + step) % max(len(rows), 1))

    def tell(request: gr.Request, values: Values) -> Updates:
        return {panel.tokens: _tokens(current(request, values).train[values[panel.at] :][:1])}

    asked = {panel.at, *settings}
    changed = [panel.shown, panel.at, panel.fold, panel.tokens]
    panel.earlier.click(safely(turn, -1), asked, changed, **QUIET)
    panel.later.click(safely(turn, 1), asked, changed, **QUIET)
    panel.fold.expand(safely(tell), asked, panel.tokens, show_progress="minimal", **PRIVATE)


def first_row(panel: RowPanel, dataset: Dataset) -> Updates:
    """The row to show first: short enough to read, with some back and forth."""
    rows = dataset.train
    at = next((at for at, row in enumerate(rows) if 5 <= len(row.messages) <= 14 and row.tokens < 500), 0)
    return _row(panel, rows, at)


def no_row(panel: RowPanel) -> Updates:
    """Nothing to show."""
    return _row(panel, [], 0)


def starter_tokenizer() -> Any:
    """The starter model's; None where it is not fetched and there is no network, and lengths are estimated then."""
    from pipeline.models import load_tokenizer

    try:
        return load_tokenizer("starter")
    except ChatError:
        return None


def _row(panel: RowPanel, rows: Sequence[Row], at: int) -> Updates:
    return {
        panel.shown: row_as_chat(rows[at], at + 1, len(rows)) if rows else "",
        panel.at: at,
        panel.fold: gr.Accordion(FOLD, open=False, visible=bool(rows)),
        panel.tokens: "",
    }


def _tokens(rows: Sequence[Row]) -> str:
    from pipeline.dataset import preview_rows

    reader = starter_tokenizer()
    if reader is None:
        raise ChatError("The starter model's tokenizer is not here and cannot be fetched: connect to the network once.")
    return "".join(map(row_as_tokens, preview_rows(rows, reader, 1)))
