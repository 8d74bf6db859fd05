"""Training on a free T4, a part of the Fine-tune tab: the notebook for Colab and Kaggle, with this copy's address."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html import escape
from pathlib import Path

import gradio as gr

from tabs.visitor import Visitor, download_link, safely, visitor_of

__all__ = ["address_of", "build", "write_notebook"]

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "chat_twin.ipynb"
EMPTY = 'SOURCE = ""'
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
    fold.expand(safely(_draw), None, shown, show_progress="hidden", api_visibility="private")


def _draw(request: gr.Request) -> str:
    visitor, address = visitor_of(request), address_of(ROOT)
    where = KNOWN.format(address=f"<b>{escape(address)}</b>") if address else UNKNOWN
    link = download_link(visitor, write_notebook(visitor, address), "Download chat_twin.ipynb")
    return f"{ABOUT.format(where=where)}<p>{link}</p>"


def write_notebook(visitor: Visitor, address: str) -> Path:
    """The notebook in the visitor's workspace, with the address filled in; as it is where none is known."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if any(line.startswith(EMPTY) for line in cell["source"]))
    filled = f"SOURCE = {json.dumps(address)}"
    cell["source"] = [line.replace(EMPTY, filled) if line.startswith(EMPTY) else line for line in cell["source"]]
    path = visitor.folder / NOTEBOOK.name
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def address_of(root: Path) -> str:
    """Where others can fetch this copy of the app: its Space, else where it was cloned from; "" if nobody knows.

    A password or token in a clone's address stays here.
    """
    if os.environ.get("SPACE_ID"):
        return f"https://huggingface.co/spaces/{os.environ['SPACE_ID']}"
    asked = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.fullmatch(r"(?:https://(?:[^/@]*@)?|(?:ssh://)?git@)([\w.-]+)[:/](.+?)(?:\.git)?/?", told)
    return f"https://{found[1]}/{found[2]}" if found else ""
