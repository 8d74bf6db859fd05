"""Training on a free T4, a part of the Fine-tune tab: the notebook for Colab and Kaggle, with this copy's address."""

from __future__ import annotations

from html import escape

import gradio as gr

from tabs.visitor import download_link, safely, visitor_of
from tabs.wiring import QUIET

__all__ = ["build"]

ABOUT = (
    '<p class="quiet">Colab and Kaggle lend a T4 for some hours: enough for a model of 7 billion weights. Open this '
    "notebook there and run its three cells: they get the app, install it, and show a link with a password. {where} "
    "The machine is Google's: bring the chat there only if that is fine with you both.</p>"
)
KNOWN = "It gets the app from {address}."
UNKNOWN = (
    "Where this copy of the app can be fetched from is not known here: write its address in the first cell, or upload "
    "the app's folder beside the notebook, as chat-twin.zip."
)


def build(fold: gr.Accordion) -> None:
    """The fold's insides, filled when it is opened."""
    shown = gr.HTML(elem_id="free-t4")
    fold.expand(safely(_draw), None, shown, **QUIET)


def _draw(request: gr.Request) -> str:
    from pipeline.notebook import address_of, write_notebook

    visitor, address = visitor_of(request), address_of()
    where = KNOWN.format(address=f"<b>{escape(address)}</b>") if address else UNKNOWN
    link = download_link(visitor, write_notebook(visitor.folder, address), "Download chat_twin.ipynb")
    return f"{ABOUT.format(where=where)}<p>{link}</p>"
