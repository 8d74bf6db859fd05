"""The rows of a dataset one by one, a part of the Dataset tab: as a chat, and as the tokens that the model sees."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from tabs.theme import PEOPLE
from tabs.visitor import safely
from web.bubbles import conversation

if TYPE_CHECKING:
    from pipeline.dataset import Dataset, Row

__all__ = ["build", "first", "follow", "none", "tokenizer"]

FOLD = "As the model sees this row"


def build() -> tuple[gr.State, list[gr.Button], list[Any]]:
    """The number of the row that is shown, the buttons that turn pages, and every component that shows it."""
    shown = gr.HTML(elem_id="rows")
    with gr.Row(elem_classes="actions"):
        earlier = gr.Button("Earlier", size="sm", scale=0, min_width=100)
        later = gr.Button("Later", size="sm", scale=0, min_width=100, elem_id="later-row")
    with gr.Accordion(FOLD, open=False, elem_classes="fold", elem_id="row-tokens") as fold:
        tokens = gr.HTML()
    row = gr.State(0)
    return row, [earlier, later], [shown, row, fold, tokens]


def follow(
    row: gr.State, turns: list[gr.Button], shown: list[Any], settings: list[Any], current: Callable[..., Dataset]
) -> None:
    """Turn pages; tell tokens apart once they are asked for. `current` is the dataset on the page."""
    private: dict[str, Any] = {"api_visibility": "private"}

    def turn(request: gr.Request, step: int, at: int, *values: Any) -> list[Any]:
        rows = current(request, values).train
        return _shown(rows, (at + step) % max(len(rows), 1))

    def tell(request: gr.Request, at: int, *values: Any) -> str:
        return _tokens(current(request, values).train[at : at + 1])

    for button, step in zip(turns, (-1, 1), strict=True):
        button.click(safely(turn), [gr.State(step), row, *settings], shown, show_progress="hidden", **private)
    shown[2].expand(safely(tell), [row, *settings], shown[3], show_progress="minimal", **private)


def first(dataset: Dataset) -> list[Any]:
    """The row to show first: short enough to read, with some back and forth."""
    rows = dataset.train
    at = next((at for at, row in enumerate(rows) if 5 <= len(row.messages) <= 14 and row.tokens < 500), 0)
    return _shown(rows, at)


def none() -> list[Any]:
    """Nothing to show."""
    return _shown([], 0)


def tokenizer() -> Any:
    """The starter model's; None where it is not fetched and there is no network, and lengths are estimated then."""
    from pipeline.models import load_tokenizer

    try:
        return load_tokenizer("starter")
    except ChatError:
        return None


def _shown(rows: list[Row], at: int) -> list[Any]:
    fold = gr.Accordion(FOLD, open=False, visible=bool(rows))
    if not rows:
        return ["", 0, fold, ""]
    row = rows[at]
    when = f"{row.sent_at:%d %B %Y, %H:%M}".lstrip("0")
    head = f"Row {at + 1:,} of {len(rows):,} · {when} · {row.tokens:,} tokens. "
    chat = conversation(row.messages, twin=PEOPLE[0], learn_from=row.learn_from)
    return [f'<p class="quiet">{head}Tinted: what the model learns. Grey: what it reads.</p>{chat}', at, fold, ""]


def _tokens(rows: list[Row]) -> str:
    from pipeline.dataset import preview_rows

    reader = tokenizer()
    if reader is None:
        raise ChatError("The starter model's tokenizer is not here and cannot be fetched: connect to the network once.")
    if not rows:
        return ""
    (row,) = preview_rows(rows, reader, 1)
    tags = ((token, "mark" if token.learned else "span") for token in row.tokens)
    spans = "".join(f"<{tag}>{escape(token.text)}</{tag}>" for token, tag in tags)
    said = (
        f"{row.token_count:,} tokens as the starter model reads them; it learns the {row.learned_count:,} that are "
        "tinted: the replies, and where each ends."
    )
    return f'<p class="quiet">{said}</p><div class="tokens" dir="auto" style="--person:{PEOPLE[0]}">{spans}</div>'
