"""Step 4: talk to a twin. Replies stream in, in bubbles, as people write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.chat import BASE, delete_conversation, read_conversation
from pipeline.errors import ChatError
from pipeline.runs import RunFolder
from pipeline.visitors import Visitor, finished_runs, load_choices, own_run, save_choices
from tabs import hub
from tabs.chat import blind_test, exam, learning_curve, panel, side_by_side
from tabs.chat.answering import answer, answer_again, change_turn, others_of, own_name, rhythm_of
from tabs.chat.editing import asked_for
from tabs.chat.panel import ChatPanel
from tabs.visitor import Stage, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates
from web.views.conversation import about_base, about_twin, conversation_html
from web.views.run import run_label

if TYPE_CHECKING:
    from pipeline.hub import Upload

__all__ = ["build"]


def build(stage: Stage) -> ChatPanel:
    """The tab: empty (no twin yet, but the base model can be talked to), ready, answering, failed."""
    chat = panel.build()
    known = gr.State("")
    drawn = gr.on(
        [stage.runs.change, stage.dataset.change, stage.chat.change], safely(_draw, chat, known), known,
        [chat.head, chat.who, chat.me, chat.paced, chat.talk, known], **QUIET,
    )  # fmt: skip
    with gr.Accordion("Side by side, and at real moments", open=False, elem_classes="fold", elem_id="compare-fold"):
        side_by_side.build(stage, chat.who, drawn)
    with gr.Accordion("Exam: how much is it like them?", open=False, elem_classes="fold", elem_id="exam-fold"):
        exam.build(stage, chat.who)
    with gr.Accordion("Blind test: can friends tell?", open=False, elem_classes="fold", elem_id="blind-fold"):
        blind_test.build(stage, chat.who)
    with gr.Accordion("How many messages are enough?", open=False, elem_classes="fold", elem_id="learning-fold"):
        learning_curve.build(stage, chat.who)
    with gr.Accordion("To the Hub", open=False, elem_classes="fold", elem_id="adapter-hub"):
        hub.build("The twin's adapter", "adapter", _prepare)
    _wire(chat, stage)
    return chat


def _wire(chat: ChatPanel, stage: Stage) -> None:
    chat.who.input(safely(_choose, chat), chat.who, [chat.head, chat.me, chat.paced, chat.talk], **QUIET)
    chat.paced.input(safely(_pace), chat.paced, None, **QUIET)
    # Those who wait stand in our own line, which says how many are before them; Gradio's would say nothing.
    says: dict[str, Any] = {
        "inputs": chat.asked, "outputs": [chat.talk, chat.say, chat.send, chat.stop],
        "concurrency_id": "model", "concurrency_limit": 16, **QUIET,
    }  # fmt: skip
    # What is said while a reply comes is said as soon as the reply is there.
    sent = gr.on([chat.send.click, chat.say.submit], safely(answer, chat, stage), trigger_mode="always_last", **says)
    anew = chat.again.click(safely(answer_again, chat, stage), cancels=[sent], **says)
    chat.talk.edit(safely(_open_box, chat), chat.who, chat.talk, **QUIET)
    chat.talk.clear(safely(_close_box, chat), chat.who, chat.talk, **QUIET)
    other = chat.talk.submit(safely(change_turn, chat, stage), **says)
    answers = [sent, anew, other]
    # Whatever asks for a reply ends the one that is still coming.
    gr.on([chat.send.click, chat.say.submit], None, None, None, cancels=[anew, other], **PRIVATE)
    chat.talk.submit(None, None, None, cancels=[sent, anew], **PRIVATE)
    settled = [chat.talk, chat.send, chat.stop]
    chat.stop.click(None, None, None, cancels=answers, **PRIVATE).then(
        safely(_settle, chat), chat.who, settled, **QUIET
    )
    chat.over.click(safely(_start_over, chat), chat.who, settled, cancels=answers, **QUIET)


def _draw(chat: ChatPanel, known: gr.State, request: gr.Request, before: str) -> Updates:
    """The tab anew when a twin came or went; not with every step of a training, in the middle of a conversation."""
    visitor = visitor_of(request)
    folders = finished_runs(visitor)
    names = [folder.name for folder in folders]
    chosen = load_choices(visitor).get("twin")
    if chosen not in (*names, BASE):
        chosen = names[0] if names else BASE
        # Who was here once stays until another is chosen: the next twin may be no better, and is a stranger.
        save_choices(visitor, twin=chosen if names else None)
    now = f"{visitor.folder.stat().st_ino} {chosen} {' '.join(names)}"
    if now == before:
        return {}
    choices = [(run_label(folder), folder.name) for folder in folders] + [("The base model, untrained", BASE)]
    return {chat.who: gr.Dropdown(choices, value=chosen), **_around(chat, visitor, chosen), known: now}


def _choose(chat: ChatPanel, request: gr.Request, who: str | None) -> Updates:
    visitor = visitor_of(request)
    name = own_name(visitor, who)
    save_choices(visitor, twin=name)
    return _around(chat, visitor, name)


def _around(chat: ChatPanel, visitor: Visitor, name: str) -> Updates:
    """What belongs to the twin that answers: who it is, who one may be, its pace, and what was said."""
    return {
        chat.head: _head(visitor, name),
        chat.me: _me(visitor, name),
        chat.paced: _paced(visitor, name),
        chat.talk: conversation_html(read_conversation(visitor.folder, name)),
    }


def _head(visitor: Visitor, name: str) -> str:
    from pipeline.dataset import read_about

    return about_base() if name == BASE else about_twin(*read_about(RunFolder(own_run(visitor, name)).dataset.path))


def _me(visitor: Visitor, name: str) -> gr.Dropdown:
    """Who the visitor may be: a choice in a group only."""
    others = others_of(visitor, name)
    return gr.Dropdown(list(others), value=others[0] if others else None, visible=len(others) > 1)


def _paced(visitor: Visitor, name: str) -> gr.Checkbox:
    """The switch for the person's own pace, where their chat shows one."""
    from pipeline.dataset import read_about

    if rhythm_of(visitor, name) is None:
        return gr.Checkbox(value=False, visible=False)
    person = read_about(RunFolder(own_run(visitor, name)).dataset.path)[0].person
    return gr.Checkbox(
        value=bool(load_choices(visitor).get("paced")), label=f"As fast as {person} writes", visible=True
    )


def _pace(request: gr.Request, paced: bool) -> None:
    save_choices(visitor_of(request), paced=paced or None)


def _open_box(chat: ChatPanel, request: gr.Request, event: gr.EventData, who: str | None) -> Updates:
    """The conversation with one of its turns as a box to write in."""
    visitor = visitor_of(request)
    name = own_name(visitor, who)
    said = read_conversation(visitor.folder, name)
    place, _ = asked_for(said, event)
    text = said.text_at(place, others_of(visitor, name))
    return {chat.talk: conversation_html(said, open_at=place, text=text)}


def _close_box(chat: ChatPanel, request: gr.Request, who: str | None) -> Updates:
    visitor = visitor_of(request)
    return {chat.talk: conversation_html(read_conversation(visitor.folder, own_name(visitor, who)))}


def _settle(chat: ChatPanel, request: gr.Request, who: str | None) -> Updates:
    """After a stop: what is kept, and the buttons as they were."""
    buttons: Updates = {chat.send: gr.Button(visible=True), chat.stop: gr.Button(visible=False)}
    return _close_box(chat, request, who) | buttons


def _start_over(chat: ChatPanel, request: gr.Request, who: str | None) -> Updates:
    visitor = visitor_of(request)
    delete_conversation(visitor.folder, own_name(visitor, who))
    return _settle(chat, request, who)


def _prepare(visitor: Visitor, folder: Path) -> Upload:
    """What a push of the chosen twin (or the newest) would upload."""
    from pipeline.hub import prepare_adapter

    names = [run.name for run in finished_runs(visitor)]
    chosen = load_choices(visitor).get("twin")
    if not names:
        raise ChatError("There is no twin yet: train one in step 3.")
    return prepare_adapter(own_run(visitor, chosen if chosen in names else names[0]), folder)
