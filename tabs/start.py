"""Where a visit begins: bring an export, or try the sample chat; then how its dates were read."""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pipeline import workspace
from pipeline.errors import ChatError
from tabs.visitor import Stage, Visitor, load_chat, safely, save_chat, stamp, visitor_of

__all__ = ["build"]

WELCOME = """
<div class="welcome">
  <h1>Talk to a twin of someone you chat with</h1>
  <p>Bring a WhatsApp export. See what is in it, make a dataset of one person's replies,
  fine-tune a small model on it, and talk to it. Everything stays on the machine this app runs on, in a folder that only
  your browser can open.</p>
</div>
"""
HOW = """
<p class="quiet">In WhatsApp: open the chat, its menu, <b>Export chat</b>, <b>Without media</b>. Then bring
the .zip or .txt here. Let the other person know: it is their chat as well.</p>
"""

ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
FLIPPED = {"dmy": "mdy", "mdy": "dmy"}


def build(stage: Stage) -> None:
    """The empty state of the first tab; hidden while a chat is loaded."""
    private: dict[str, Any] = {"api_visibility": "private"}
    with gr.Column(elem_id="start") as welcome:
        gr.HTML(WELCOME)
        upload = gr.File(
            label="A WhatsApp export (.zip or .txt)", file_types=[".zip", ".txt", ".json"], file_count="single",
            show_label=False, height=180, elem_id="upload",
        )  # fmt: skip
        trouble = gr.HTML(visible=False, elem_id="start-trouble")
        with gr.Row(elem_classes="choice"):
            sample = gr.Button("Try the sample chat", variant="primary", elem_id="sample", scale=0, min_width=220)
            gr.HTML(HOW)
    with gr.Column(visible=False, elem_id="which") as which:
        pick = gr.Radio([], label="This file holds several chats: which one?", elem_id="which-chat")
        take = gr.Button("Read this chat", variant="primary", scale=0)
    with gr.Row(visible=False, elem_id="reading", equal_height=True) as reading:
        question = gr.HTML()
        flip = gr.Button("Read it the other way", size="sm", scale=0, min_width=170, elem_id="flip")
        other = gr.Button("Another chat", size="sm", scale=0, min_width=120, elem_id="other")
    shown = [stage.chat, stage.dataset, upload, trouble, which, pick]
    upload.upload(safely(_take_upload), upload, shown, **private)
    sample.click(safely(_take_sample), None, shown, **private)
    take.click(safely(_take_one), pick, shown, **private)
    flip.click(safely(_flip), None, [stage.chat, stage.dataset], **private)
    other.click(lambda: gr.Column(visible=True), None, welcome, show_progress="hidden", **private)
    stage.chat.change(safely(_draw), None, [welcome, reading, question, flip], show_progress="hidden", **private)


def _take_upload(path: str | None, request: gr.Request) -> list[Any]:
    visitor = visitor_of(request)
    if not path:
        return _unchanged(visitor)
    if not workspace.owns_upload(visitor.folder, Path(path)):
        return _failed(visitor, "This file was not uploaded from this browser: choose it again.")
    incoming = visitor.folder / f"incoming{Path(path).suffix.lower()}"
    try:
        shutil.move(path, incoming)
    except OSError:
        return _failed(visitor, "The upload did not arrive whole: choose the file again.")
    return _read(visitor, incoming, Path(path).name)


def _take_sample(request: gr.Request) -> list[Any]:
    from pipeline.sample import FILE_NAME, sample_text

    visitor = visitor_of(request)
    incoming = visitor.folder / "incoming.txt"
    incoming.write_text(sample_text(), encoding="utf-8", newline="\n")
    return _read(visitor, incoming, FILE_NAME)


def _take_one(chat: str | None, request: gr.Request) -> list[Any]:
    visitor = visitor_of(request)
    waiting = sorted(visitor.folder.glob("incoming.*"))
    if not waiting or not chat:
        return _failed(visitor, "Choose one of the chats in the file.")
    return _read(visitor, waiting[0], waiting[0].name, chat)


def _read(visitor: Visitor, incoming: Path, name: str, chat: str | None = None) -> list[Any]:
    """Read an export; only a chat that could be read takes the place of the one loaded before."""
    from pipeline.messages import read

    try:
        loaded = read(incoming, chat=chat)
    except ChatError as error:
        incoming.unlink(missing_ok=True)
        return _failed(visitor, str(error))
    shutil.rmtree(visitor.folder / "chat", ignore_errors=True)
    shutil.rmtree(visitor.dataset, ignore_errors=True)
    save_chat(visitor, loaded)
    incoming.rename(visitor.folder / "chat" / f"source{incoming.suffix}")
    return _unchanged(visitor)


def _unchanged(visitor: Visitor) -> list[Any]:
    hidden = gr.HTML(visible=False)
    return [stamp(visitor, "chat/chat.json"), "", None, hidden, gr.Column(visible=False), gr.Radio([])]


def _failed(visitor: Visitor, sentence: str) -> list[Any]:
    trouble = gr.HTML(f'<p class="failed">{escape(sentence)}</p>', visible=True)
    return [gr.skip(), gr.skip(), None, trouble, gr.Column(visible=False), gr.Radio([])]


def _draw(request: gr.Request) -> list[Any]:
    """Show how the loaded chat was read, with the one question that the file may leave open."""
    loaded = load_chat(visitor_of(request))
    if loaded is None:
        return [gr.Column(visible=True), gr.Row(visible=False), "", gr.Button(visible=False)]
    words, may_flip = _how_read(loaded.layout, loaded.messages)
    return [gr.Column(visible=False), gr.Row(visible=True), words, gr.Button(visible=may_flip)]


def _how_read(layout: Any, messages: Any) -> tuple[str, bool]:
    order = layout.date_order
    first = messages["sent_at"].min()
    reason = escape("; ".join(layout.evidence))
    if layout.certain or order not in FLIPPED or first.day > 12:
        return f'<span class="quiet" title="{reason}">Dates read {ORDERS[order]}.</span>', False
    written = f"{first:%d/%m}" if order == "dmy" else f"{first:%m/%d}"
    return (
        f'<span class="ask" title="{reason}">We read the first date, <b>{written}</b>, as '
        f"<b>{first.day} {first:%B %Y}</b>. Is that right?</span>",
        True,
    )


def _flip(request: gr.Request) -> tuple[str, str]:
    """Read the same file again with day and month the other way round."""
    from pipeline.messages import read

    visitor = visitor_of(request)
    loaded = load_chat(visitor)
    sources = sorted((visitor.folder / "chat").glob("source.*"))
    if loaded is None or not sources or loaded.layout.date_order not in FLIPPED:
        raise ChatError("There is no chat to read again: bring one first.")
    again = read(sources[0], date_order=FLIPPED[loaded.layout.date_order], chat=loaded.title or None)
    shutil.rmtree(visitor.dataset, ignore_errors=True)
    save_chat(visitor, again)
    return stamp(visitor, "chat/chat.json"), ""
