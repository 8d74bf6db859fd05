"""Where a visit begins: bring an export, or try the sample chat; then how its dates were read."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.progress import SILENT, Progress
from pipeline.store import workspace
from pipeline.visitors import (
    Visitor,
    chat_stamp,
    discard_incoming,
    incoming_folder,
    load_chat,
    load_choices,
    receive_file,
    replace_chat,
    reread_chat,
    save_choices,
    source_file,
    waiting_file,
)
from tabs.progress import on_page
from tabs.visitor import Stage, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates, parts
from web.bubbles import failed
from web.views.reading import FLIPPED, how_read

if TYPE_CHECKING:
    from pipeline.messages import Chat

__all__ = ["Start", "build"]

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

NO_CHAT = "There is no chat to read again: bring one first."


@dataclass(frozen=True)
class Welcome:
    """The empty state of the first tab: a file, or the sample; and which chat, where a file holds several."""

    page: gr.Column
    upload: gr.File
    trouble: gr.HTML
    sample: gr.Button
    which: gr.Column
    pick: gr.Radio
    take: gr.Button


@dataclass(frozen=True)
class Reading:
    """How the loaded chat's dates were read."""

    row: gr.Row
    question: gr.HTML
    flip: gr.Button
    other: gr.Button


@dataclass(frozen=True)
class Names:
    """Two names of one person, to be merged."""

    fold: gr.Accordion
    name: gr.Dropdown
    into: gr.Dropdown
    merge: gr.Button
    undo: gr.Button
    merged: gr.HTML


@dataclass(frozen=True)
class Start:
    """The parts of a visit's beginning, and the tabs' stamps."""

    welcome: Welcome
    reading: Reading
    names: Names
    stage: Stage


def build(stage: Stage) -> Start:
    """The empty state of the first tab, hidden while a chat is loaded; then how it was read, and its names."""
    start = Start(_welcome(), _reading(), _names(), stage)
    welcome, reading, names = start.welcome, start.reading, start.names
    read = [stage.chat, stage.dataset, *parts(welcome)]
    again = [stage.chat, stage.dataset]
    welcome.upload.upload(safely(_take_upload, start), welcome.upload, read, **PRIVATE)
    welcome.sample.click(safely(_take_sample, start), None, read, **PRIVATE)
    welcome.take.click(safely(_take_one, start), welcome.pick, read, **PRIVATE)
    reading.flip.click(safely(_flip, start), None, again, **PRIVATE)
    reading.other.click(lambda: gr.Column(visible=True), None, welcome.page, **QUIET)
    names.merge.click(safely(_merge, start), [names.name, names.into], again, **PRIVATE)
    names.undo.click(safely(_unmerge, start), None, again, **PRIVATE)
    stage.chat.change(safely(_draw, start), None, [welcome.page, *parts(reading)], **QUIET)
    stage.chat.change(safely(_draw_names, names), None, parts(names), **QUIET)
    return start


def _welcome() -> Welcome:
    with gr.Column(elem_id="start") as page:
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
    return Welcome(page, upload, trouble, sample, which, pick, take)


def _reading() -> Reading:
    with gr.Row(visible=False, elem_id="reading", equal_height=True) as row:
        question = gr.HTML()
        flip = gr.Button("Read it the other way", size="sm", scale=0, min_width=170, elem_id="flip")
        other = gr.Button("Another chat", size="sm", scale=0, min_width=120, elem_id="other")
    return Reading(row, question, flip, other)


def _names() -> Names:
    with gr.Accordion("One person under two names?", open=False, visible=False, elem_id="one-person") as fold:
        gr.HTML(ONE_PERSON)
        with gr.Row():
            name = gr.Dropdown([], label="This name", min_width=140, elem_id="merge-name")
            into = gr.Dropdown([], label="is the same person as", min_width=140, elem_id="merge-into")
        with gr.Row():
            merge = gr.Button("Merge", size="sm", scale=0, min_width=110, elem_id="merge")
            undo = gr.Button("Undo all", size="sm", scale=0, min_width=110, visible=False, elem_id="unmerge")
        merged = gr.HTML()
    return Names(fold, name, into, merge, undo, merged)


def _take_upload(
    start: Start,
    request: gr.Request,
    path: str | None,
    bar: gr.Progress = gr.Progress(),  # noqa: B008
) -> Updates:
    visitor = visitor_of(request)
    if not path:
        return _unchanged(start, visitor)
    if not workspace.owns_upload(visitor.folder, Path(path)):
        return _ready(start, "This file was not uploaded from this browser: choose it again.")
    try:
        incoming = receive_file(visitor, Path(path))
    except ChatError as error:
        return _ready(start, str(error))
    return _read(start, visitor, incoming, progress=on_page(bar))


def _take_sample(start: Start, request: gr.Request) -> Updates:
    from pipeline.sample import write_sample

    visitor = visitor_of(request)
    return _read(start, visitor, write_sample(incoming_folder(visitor)))


def _take_one(
    start: Start,
    request: gr.Request,
    chat: str | None,
    bar: gr.Progress = gr.Progress(),  # noqa: B008
) -> Updates:
    """Read the chosen one of several chats in an archive that is waiting."""
    visitor = visitor_of(request)
    waiting = waiting_file(visitor)
    if waiting is None or not chat:
        return _ready(start, "Choose one of the chats in the file.")
    return _read(start, visitor, waiting, chat, on_page(bar))


def _read(
    start: Start, visitor: Visitor, incoming: Path, chat: str | None = None, progress: Progress = SILENT
) -> Updates:
    """Read an export; only a chat that could be read takes the place of the one loaded before."""
    from pipeline.sources import chats_in, read

    try:
        chats = chats_in(incoming)
        if chat is None and len(chats) > 1:
            return _several(start, chats)
        loaded = read(incoming, chat=chat, progress=progress)
    except ChatError as error:
        discard_incoming(visitor)
        return _ready(start, str(error))
    replace_chat(visitor, loaded, incoming)
    save_choices(visitor, person=None, in_archive=chat, redaction=None, date_order=None, merged=None)
    return _unchanged(start, visitor)


def _several(start: Start, chats: list[str]) -> Updates:
    return _ready(start) | {
        start.welcome.which: gr.Column(visible=True),
        start.welcome.pick: gr.Radio(chats, value=chats[0]),
    }


def _unchanged(start: Start, visitor: Visitor) -> Updates:
    return _ready(start) | {start.stage.chat: chat_stamp(visitor), start.stage.dataset: ""}


def _ready(start: Start, trouble: str = "") -> Updates:
    """Ready for a file, with what was wrong with the last one."""
    welcome = start.welcome
    return {
        welcome.upload: None,
        welcome.trouble: gr.HTML(failed(trouble), visible=bool(trouble)),
        welcome.which: gr.Column(visible=False),
        welcome.pick: gr.Radio([], value=None),
    }


def _draw(start: Start, request: gr.Request) -> Updates:
    """Show how the loaded chat was read, with the one question that the file may leave open."""
    visitor, reading = visitor_of(request), start.reading
    loaded = load_chat(visitor)
    if loaded is None:
        return {start.welcome.page: gr.Column(visible=True), reading.row: gr.Row(visible=False)}
    flipped = load_choices(visitor).get("date_order") is not None
    words, may_flip = how_read(loaded.layout, loaded.messages["sent_at"].min(), flipped)
    return {
        start.welcome.page: gr.Column(visible=False),
        reading.row: gr.Row(visible=True),
        reading.question: words,
        reading.flip: gr.Button(visible=may_flip),
    }


def _flip(start: Start, request: gr.Request) -> Updates:
    """Read the same file again with day and month the other way round."""
    visitor = visitor_of(request)
    loaded = load_chat(visitor)
    if loaded is None or loaded.layout.date_order not in FLIPPED:
        raise ChatError(NO_CHAT)
    return _read_again(start, visitor, date_order=FLIPPED[loaded.layout.date_order])


def _read_again(start: Start, visitor: Visitor, **changes: Any) -> Updates:
    """Read the visitor's file anew with some choices changed; only then keep them, and the chat in place of the old."""
    from pipeline.messages import with_one_name
    from pipeline.sources import read

    choices = {**load_choices(visitor), **changes}
    source = source_file(visitor)
    if source is None:
        raise ChatError(NO_CHAT)
    again = read(source, date_order=choices.get("date_order"), chat=choices.get("in_archive"))
    for name, into in choices.get("merged") or []:
        again = with_one_name(again, name, into)
    return _replace(start, visitor, again, **changes)


def _replace(start: Start, visitor: Visitor, chat: Chat, **changes: Any) -> Updates:
    """Put a chat read or merged anew in the place of the loaded one; its dataset goes."""
    reread_chat(visitor, chat)
    save_choices(visitor, **changes)
    return {start.stage.chat: chat_stamp(visitor), start.stage.dataset: ""}


def _draw_names(names: Names, request: gr.Request) -> Updates:
    """Offer to merge names where there are more than two, and open at once where two look like one person's."""
    from pipeline.messages import likely_pairs, people

    visitor = visitor_of(request)
    loaded = load_chat(visitor)
    done = load_choices(visitor).get("merged") or []
    known = people(loaded.messages) if loaded else []
    pairs = likely_pairs(loaded.messages) if loaded and len(known) > 2 else []
    name, into = pairs[0] if pairs else (None, None)
    told = "; ".join(f"{escape(a)} is now {escape(b)}" for a, b in done)
    return {
        names.fold: gr.Accordion(visible=len(known) > 2 or bool(done), open=bool(pairs or done)),
        names.name: gr.Dropdown(known, value=name),
        names.into: gr.Dropdown(known, value=into),
        names.undo: gr.Button(visible=bool(done)),
        names.merged: f'<p class="quiet">{told}.</p>' if done else "",
    }


def _merge(start: Start, request: gr.Request, name: str | None, into: str | None) -> Updates:
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
    return _replace(start, visitor, with_one_name(loaded, str(name), str(into)), merged=merged, person=person)


def _unmerge(start: Start, request: gr.Request) -> Updates:
    """Give all names back, as the file has them."""
    return _read_again(start, visitor_of(request), merged=None)
