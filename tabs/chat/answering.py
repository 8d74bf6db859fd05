"""Replies as they come: what the visitor says, says anew or changes, and what the twin answers, bubble by bubble."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.chat import (
    BASE,
    Conversation,
    exchange_conversation,
    read_conversation,
    user_turn,
    write_conversation,
)
from pipeline.errors import ChatError
from pipeline.runs import RunFolder
from pipeline.visitors import Visitor, own_run
from tabs.chat.editing import asked_for
from tabs.chat.panel import ChatPanel
from tabs.theme import PEOPLE
from tabs.visitor import Stage, own_twin, visitor_of
from tabs.wiring import Updates, Values
from web.bubbles import failed, note, typing, waiting
from web.views.conversation import LONGEST_MESSAGE, conversation_html
from web.words import count

if TYPE_CHECKING:
    from pipeline.chat import Twin
    from pipeline.dataset import Rhythm
    from pipeline.inference import GenerationConfig

__all__ = ["answer", "answer_again", "change_turn", "others_of", "own_name", "reply", "rhythm_of"]


def answer(panel: ChatPanel, stage: Stage, request: gr.Request, values: Values) -> Iterator[Updates]:
    """Say something, and stream what the twin answers."""
    visitor = visitor_of(request)
    name = own_name(visitor, values[panel.who])
    text = values[panel.say].strip()
    if not text:
        return
    lines = text[:LONGEST_MESSAGE].splitlines()
    content = user_turn(others_of(visitor, name), values[panel.me], lines)
    said = read_conversation(visitor.folder, name).add("user", content)
    steps = reply(panel, stage, visitor, name, said, values)
    yield {panel.say: "", **next(steps)}
    yield from steps


def answer_again(panel: ChatPanel, stage: Stage, request: gr.Request, values: Values) -> Iterator[Updates]:
    """Drop the last reply and have the visitor's last message answered again."""
    visitor = visitor_of(request)
    name = own_name(visitor, values[panel.who])
    said = read_conversation(visitor.folder, name).without_reply()
    if said.messages:
        yield from reply(panel, stage, visitor, name, said, values)


def change_turn(
    panel: ChatPanel, stage: Stage, request: gr.Request, event: gr.EventData, values: Values
) -> Iterator[Updates]:
    """Put other words in a turn: the conversation goes on from there, and one's own message is answered anew."""
    visitor = visitor_of(request)
    name = own_name(visitor, values[panel.who])
    before = read_conversation(visitor.folder, name)
    place, text = asked_for(before, event)
    said = before.changed(place, text, others_of(visitor, name))
    if said.messages[place]["role"] == "user":
        yield from reply(panel, stage, visitor, name, said, values)
        return
    write_conversation(visitor.folder, name, said)
    yield {panel.talk: conversation_html(said)}


def reply(
    panel: ChatPanel, stage: Stage, visitor: Visitor, name: str, said: Conversation, values: Values
) -> Iterator[Updates]:
    """The conversation as the reply grows; what was shown is kept, even if it is stopped or left."""
    busy: Updates = {panel.send: gr.Button(visible=False), panel.stop: gr.Button(visible=True)}
    free: Updates = {panel.send: gr.Button(visible=True), panel.stop: gr.Button(visible=False)}
    paced, folder = values[panel.paced], visitor.folder
    write_conversation(folder, name, said)
    kept, reply = said, ""
    yield {panel.talk: conversation_html(said, typing(PEOPLE[0]), still=False), **busy}
    try:
        for text, tail in _growing(panel, stage, visitor, name, said, values):
            if paced and read_conversation(folder, name) != kept:
                # Started over, or changed, in the pause before this bubble: it is not said any more.
                yield {panel.talk: conversation_html(read_conversation(folder, name)), **free}
                return
            grown = said.add("assistant", text) if text else said
            yield {panel.talk: conversation_html(grown, tail, still=False), **busy}
            reply = text
            if paced and grown != kept and exchange_conversation(folder, name, kept, grown):
                kept = grown
        reply = reply or "…"
    except ChatError as error:
        yield {panel.talk: conversation_html(said, failed(str(error))), **free}
        return
    finally:
        if reply:
            exchange_conversation(folder, name, kept, said.add("assistant", reply))
    yield {panel.talk: conversation_html(said.add("assistant", reply)), **free}


def _growing(
    panel: ChatPanel, stage: Stage, visitor: Visitor, name: str, said: Conversation, values: Values
) -> Iterator[tuple[str, str]]:
    """The reply so far, and what stands below it; at their own pace bubble by bubble, in the person's time."""
    from pipeline.chat import Pace, load_twin, stream

    rhythm = rhythm_of(visitor, name) if values[panel.paced] else None
    pace = Pace(rhythm) if rhythm else None
    dots = typing(PEOPLE[0])
    twin = load_twin(own_twin(visitor, name), loaded=stage.models)
    with stage.models.queue.join() as before:
        for ahead in waiting(before):
            yield "", note(f"{count(ahead, 'reply', 'replies')} before yours.")
        shown = ""
        pieces = stream(
            twin,
            said.messages,
            _generation(panel, twin, values),
            now=said.began_at,
            cache_key=f"{visitor.folder.name}/{name}",
        )
        for piece in pieces:
            text = pace.grow(piece) if pace else piece.text
            if text != shown:
                shown = text
                yield text, dots if pace else ""
    for text, pause in pace.rest() if pace else ():
        time.sleep(pause)
        yield text, dots


def _generation(panel: ChatPanel, twin: Twin, values: Values) -> GenerationConfig:
    """What suits the twin; with the visitor's own settings in it, where there are some.

    What was tuned stays: it makes replies as long as the person's.
    """
    return panel.form.read(values, **dict(twin.generation)) if values[panel.own] else twin.generation


def own_name(visitor: Visitor, who: str | None) -> str:
    """The name of a twin of this visitor, or the base model's; raises ChatError for any other."""
    run_dir = own_twin(visitor, who)
    return BASE if run_dir is None else run_dir.name


def others_of(visitor: Visitor, name: str) -> tuple[str, ...]:
    """Whom the person of the twin `name` wrote with."""
    from pipeline.dataset import read_about

    return () if name == BASE else read_about(RunFolder(own_run(visitor, name)).dataset.path)[1].others


def rhythm_of(visitor: Visitor, name: str) -> Rhythm | None:
    """How fast the person of the twin `name` writes, where their chat shows it."""
    from pipeline.dataset import read_about

    return None if name == BASE else read_about(RunFolder(own_run(visitor, name)).dataset.path)[1].rhythm
