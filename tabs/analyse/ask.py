"""Ask the chat: a question, and the moments that answer it. No model writes anything here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr

from pipeline.charts import people_colours
from pipeline.errors import ChatError
from pipeline.visitors import around, ask_chat, chat_head, load_chat, load_choices
from tabs.progress import growing
from tabs.visitor import Stage, safely, visitor_of
from tabs.wiring import QUIET, Updates
from web.bubbles import failed
from web.views.asked import answers, remembering

__all__ = ["Ask", "build"]

HEAD = (
    '<div class="figure-head"><h3>Ask the chat</h3><p class="note">A question as you would ask a friend; you get the '
    "moments that bear on it, as they were written. Nothing is made up, and nothing leaves this machine.</p></div>"
)


@dataclass(frozen=True)
class Ask:
    """The question, and what was found."""

    question: gr.Textbox
    ask: gr.Button
    found: gr.HTML


def build(stage: Stage) -> Ask:
    """The section, ready to be asked; another chat empties it."""
    with gr.Column(elem_id="ask", elem_classes="ct figure"):
        gr.HTML(HEAD)
        with gr.Row(elem_classes="beside"):
            question = gr.Textbox(
                show_label=False, placeholder="When did we go to the lake?", lines=1, max_lines=1, max_length=500,
                elem_id="ask-question", scale=1, min_width=220, container=False,
            )  # fmt: skip
            button = gr.Button("Ask", scale=0, min_width=110, elem_id="ask-button")
        found = gr.HTML(elem_id="asked")
    part = Ask(question, button, found)
    gr.on([question.submit, button.click], safely(_ask, part), question, found, concurrency_limit=2, **QUIET)
    stage.chat.change(lambda: ("", ""), None, [question, found], **QUIET)
    return part


def _ask(part: Ask, request: gr.Request, question: str) -> Iterator[Updates]:
    """Remember the chat where it was not yet, telling how far that is, then show what was found."""
    visitor = visitor_of(request)

    def drawn(share: float, _: str) -> Updates:
        return {part.found: remembering(share)}

    try:
        moments = yield from growing(lambda progress: ask_chat(visitor, question or "", progress), drawn)
    except ChatError as error:
        yield {part.found: failed(str(error))}
        return
    chat, head = load_chat(visitor), chat_head(visitor)
    if chat is None or head is None:
        return
    person = load_choices(visitor).get("person")
    people = sorted(head["people"], key=lambda name: name != person)
    told = [(moment, *around(chat.messages, moment)) for moment in moments]
    yield {part.found: answers(told, people[0] if people else "", people_colours(people))}
