"""Where a visit begins: bring an export, or try the sample chat; then how its dates were read."""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.store import workspace
from tabs.visitor import (
    Stage,
    Visitor,
    load_chat,
    load_choices,
    safely,
    save_chat,
    save_choices,
    stamp,
    visitor_of,
)

if TYPE_CHECKING:
    from pipeline.messages import Chat, Layout

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

ONE_PERSON = """
<p class="quiet">Somebody who changed their number, or is called differently on two phones, has two names here. Merged,
they count as one person everywhere.</p>
"""

ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
NO_CHAT = "There is no chat to read again: bring one first."
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
        take = gr.Button("Read this chat", variant="primary", scale=0, min_width=180, elem_id="take-chat")
    with gr.Row(visible=False, elem_id="reading", equal_height=True) as reading:
        question = gr.HTML()
        flip = gr.Button("Read it the other way", size="sm", scale=0, min_width=170, elem_id="flip")
        other = gr.Button("Another chat", size="sm", scale=0, min_width=120, elem_id="other")
    with gr.Accordion("One person under two names?", open=False, visible=False, elem_id="one-person") as one_person:
        gr.HTML(ONE_PERSON)
        with gr.Row():
            name = gr.Dropdown([], label="This name", min_width=140, elem_id="merge-name")
            into = gr.Dropdown([], label="is the same person as", min_width=140, elem_id="merge-into")
        with gr.Row():
            join = gr.Button("Merge", size="sm", scale=0, min_width=110, elem_id="merge")
            part = gr.Button("Undo all", size="sm", scale=0, min_width=110, visible=False, elem_id="unmerge")
        merged = gr.HTML()
    shown = [stage.chat, stage.dataset, upload, trouble, which, pick]
    upload.upload(safely(_take_upload), upload, shown, **private)
    sample.click(safely(_take_sample), None, shown, **private)
    take.click(safely(_take_one), pick, shown, **private)
    flip.click(safely(_flip), None, [stage.chat, stage.dataset], **private)
    join.click(safely(_merge), [name, into], [stage.chat, stage.dataset], **private)
    part.click(safely(_unmerge), None, [stage.chat, stage.dataset], **private)
    other.click(lambda: gr.Column(visible=True), None, welcome, show_progress="hidden", **private)
    stage.chat.change(safely(_draw), None, [welcome, reading, question, flip], show_progress="hidden", **private)
    names = [one_person, name, into, part, merged]
    stage.chat.change(safely(_draw_names), None, names, show_progress="hidden", **private)


def _take_upload(path: str | None, request: gr.Request) -> list[Any]:
    visitor = visitor_of(request)
    if not path:
        return _unchanged(visitor)
    if not workspace.owns_upload(visitor.folder, Path(path)):
        return _failed("This file was not uploaded from this browser: choose it again.")
    try:
        incoming = Path(shutil.move(path, _incoming(visitor) / Path(path).name))
    except OSError:
        return _failed("The upload did not arrive whole: choose the file again.")
    return _read(visitor, incoming)


def _take_sample(request: gr.Request) -> list[Any]:
    from pipeline.sample import write_sample

    visitor = visitor_of(request)
    return _read(visitor, write_sample(_incoming(visitor)))


def _take_one(request: gr.Request, chat: str | None) -> list[Any]:
    """Read the chosen one of several chats in an archive that is waiting."""
    visitor = visitor_of(request)
    waiting = sorted((visitor.folder / "incoming").glob("*"))
    if not waiting or not chat:
        return _failed("Choose one of the chats in the file.")
    return _read(visitor, waiting[0], chat)


def _incoming(visitor: Visitor) -> Path:
    """An empty folder for a file that is not read yet."""
    folder = visitor.folder / "incoming"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def _read(visitor: Visitor, incoming: Path, chat: str | None = None) -> list[Any]:
    """Read an export; only a chat that could be read takes the place of the one loaded before."""
    from pipeline.sources import chats_in, read

    try:
        chats = chats_in(incoming)
        if chat is None and len(chats) > 1:
            return _several(chats)
        loaded = read(incoming, chat=chat)
    except ChatError as error:
        shutil.rmtree(incoming.parent, ignore_errors=True)
        return _failed(str(error))
    shutil.rmtree(visitor.folder / "chat", ignore_errors=True)
    shutil.rmtree(visitor.dataset, ignore_errors=True)
    save_chat(visitor, loaded)
    incoming.parent.rename(visitor.folder / "chat" / "source")
    save_choices(visitor, person=None, in_archive=chat, redaction=None, date_order=None, merged=None)
    return _unchanged(visitor)


def _several(chats: list[str]) -> list[Any]:
    picker = gr.Radio(chats, value=chats[0])
    return [gr.skip(), gr.skip(), None, gr.HTML(visible=False), gr.Column(visible=True), picker]


def _unchanged(visitor: Visitor) -> list[Any]:
    hidden = gr.HTML(visible=False)
    return [stamp(visitor, "chat/chat.json"), "", None, hidden, gr.Column(visible=False), gr.Radio([], value=None)]


def _failed(sentence: str) -> list[Any]:
    trouble = gr.HTML(f'<p class="failed">{escape(sentence)}</p>', visible=True)
    return [gr.skip(), gr.skip(), None, trouble, gr.Column(visible=False), gr.Radio([], value=None)]


def _draw(request: gr.Request) -> list[Any]:
    """Show how the loaded chat was read, with the one question that the file may leave open."""
    visitor = visitor_of(request)
    loaded = load_chat(visitor)
    if loaded is None:
        return [gr.Column(visible=True), gr.Row(visible=False), "", gr.Button(visible=False)]
    flipped = load_choices(visitor).get("date_order") is not None
    words, may_flip = _how_read(loaded.layout, loaded.messages["sent_at"].min(), flipped)
    return [gr.Column(visible=False), gr.Row(visible=True), words, gr.Button(visible=may_flip)]


def _how_read(layout: Layout, first: Any, flipped: bool) -> tuple[str, bool]:
    """How dates were read, as HTML, and whether the other way is possible; `first`: when the first message was sent."""
    order, reason = layout.date_order, escape("; ".join(layout.evidence))
    read_as = f"<b>{first.day} {first:%B %Y}</b>"
    if layout.calendar == "islamic":
        return f'<span class="quiet">The first date is read as {read_as}. {escape(layout.evidence[-1])}</span>', False
    if flipped:
        return f'<span class="quiet">The first date is read as {read_as}, as you said.</span>', True
    if order is None:
        return f'<span class="quiet">The first date is read as {read_as}. {reason}</span>', False
    if layout.certain or order not in FLIPPED or first.day > 12:
        return f'<span class="quiet" title="{reason}">Dates read {ORDERS.get(order, order)}.</span>', False
    written = f"{first:%d/%m}" if order == "dmy" else f"{first:%m/%d}"
    question = f"We read the first date, <b>{written}</b>, as {read_as}. Is that right?"
    return f'<span class="ask" title="{reason}">{question}</span>', True


def _flip(request: gr.Request) -> tuple[str, str]:
    """Read the same file again with day and month the other way round."""
    visitor = visitor_of(request)
    loaded = load_chat(visitor)
    if loaded is None or loaded.layout.date_order not in FLIPPED:
        raise ChatError(NO_CHAT)
    return _read_again(visitor, date_order=FLIPPED[loaded.layout.date_order])


def _read_again(visitor: Visitor, **changes: Any) -> tuple[str, str]:
    """Read the visitor's file anew with some choices changed; only then keep them, and the chat in place of the old."""
    from pipeline.messages import with_one_name
    from pipeline.sources import read

    choices = {**load_choices(visitor), **changes}
    sources = sorted((visitor.folder / "chat" / "source").glob("*"))
    if not sources:
        raise ChatError(NO_CHAT)
    again = read(sources[0], date_order=choices.get("date_order"), chat=choices.get("in_archive"))
    for name, into in choices.get("merged") or []:
        again = with_one_name(again, name, into)
    return _replace(visitor, again, **changes)


def _replace(visitor: Visitor, chat: Chat, **changes: Any) -> tuple[str, str]:
    """Put a chat read or merged anew in the place of the loaded one; its dataset goes."""
    shutil.rmtree(visitor.dataset, ignore_errors=True)
    save_chat(visitor, chat)
    save_choices(visitor, **changes)
    return stamp(visitor, "chat/chat.json"), ""


def _draw_names(request: gr.Request) -> list[Any]:
    """Offer to merge names where there are more than two, and open at once where two look like one person's."""
    from pipeline.messages import likely_pairs, people

    visitor = visitor_of(request)
    loaded = load_chat(visitor)
    done = load_choices(visitor).get("merged") or []
    names = people(loaded.messages) if loaded else []
    pairs = likely_pairs(loaded.messages) if loaded and len(names) > 2 else []
    name, into = pairs[0] if pairs else (None, None)
    told = "; ".join(f"{escape(a)} is now {escape(b)}" for a, b in done)
    return [
        gr.Accordion(visible=len(names) > 2 or bool(done), open=bool(pairs or done)),
        gr.Dropdown(names, value=name),
        gr.Dropdown(names, value=into),
        gr.Button(visible=bool(done)),
        f'<p class="quiet">{told}.</p>' if done else "",
    ]


def _merge(request: gr.Request, name: str | None, into: str | None) -> tuple[str, str]:
    """Call one person by one name in the whole chat."""
    from pipeline.messages import people, with_one_name

    visitor = visitor_of(request)
    loaded = load_chat(visitor)
    if loaded is None:
        raise ChatError(NO_CHAT)
    if name == into or not {name, into} <= set(people(loaded.messages)):
        raise ChatError("Choose two different names of this chat to merge.")
    choices = load_choices(visitor)
    person = into if choices.get("person") == name else choices.get("person")
    merged = [*(choices.get("merged") or []), [name, into]]
    return _replace(visitor, with_one_name(loaded, str(name), str(into)), merged=merged, person=person)


def _unmerge(request: gr.Request) -> tuple[str, str]:
    """Give all names back, as the file has them."""
    return _read_again(visitor_of(request), merged=None)
