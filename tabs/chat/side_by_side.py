"""Side by side, a part of the Chat tab: one message, or a real moment of the chat, and several who answer it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

from pipeline.chat import BASE, user_turn
from pipeline.errors import ChatError
from pipeline.prompt import Message
from pipeline.visitors import Visitor, finished_runs, own_run
from tabs.chat.answering import others_of, own_name
from tabs.visitor import Stage, own_twin, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates, Values
from web.bubbles import failed, note, waiting
from web.views.run import run_label
from web.views.side_by_side import columns, moment_to_answer, real_answer
from web.words import count

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.chat import PartialReply, Twin
    from pipeline.evaluation import Moment

__all__ = ["MINE", "PROMPTED", "REAL", "SideBySidePanel", "build"]

PROMPTED = "prompted base"
MOST = 4  # who answer at once
MINE, REAL = "A message of mine", "A real moment of the chat"


@dataclass(frozen=True)
class SideBySidePanel:
    """What is asked and of whom, the answers in columns, and what was really said. `who` is the tab's chosen twin."""

    who: gr.Dropdown
    kind: gr.Radio
    message: gr.Textbox
    real: gr.Column
    number: gr.Slider
    moment: gr.HTML
    answering: gr.CheckboxGroup
    go: gr.Button
    uncover: gr.Button
    stop: gr.Button
    columns: gr.HTML
    truth: gr.HTML
    known: gr.State

    @property
    def asked(self) -> set[Block]:
        """What is read before they answer."""
        return {self.who, self.kind, self.message, self.number, self.answering}

    @property
    def answers(self) -> list[Block]:
        """What is shown of their answers."""
        return [self.columns, self.truth, self.uncover, self.stop]


def build(stage: Stage, who: gr.Dropdown, drawn: gr.events.Dependency) -> SideBySidePanel:
    """Twins, the base model and the base model with a good prompt, in columns.

    `drawn`: the event that has put the twins of now into `who`; before it, `who` may hold one that is gone.
    """
    panel = _layout(who)
    answers = gr.on(
        [panel.go.click, panel.message.submit], safely(_answer, panel, stage), panel.asked, panel.answers,
        concurrency_id="model", concurrency_limit=16, trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    # An event's listeners run one after another: the answers to what was asked before end, then what is asked changes.
    gr.on([who.change, panel.kind.change, panel.number.input], None, None, None, cancels=[answers], **PRIVATE)
    shown = [panel.answering, panel.number, panel.moment, panel.known, *panel.answers]
    for chosen in (who.change, drawn.then):
        chosen(safely(_draw, panel), [who, panel.known], shown, **QUIET)
    panel.kind.change(safely(_switch, panel), panel.kind, [panel.message, panel.real, *panel.answers], **QUIET)
    panel.number.input(
        safely(_show_moment, panel), [who, panel.number], [panel.moment, *panel.answers], trigger_mode="always_last",
        **QUIET,
    )  # fmt: skip
    panel.stop.click(lambda: gr.Button(visible=False), None, panel.stop, cancels=[answers], **QUIET)
    panel.uncover.click(safely(_uncover, panel), [who, panel.number], panel.truth, **QUIET)
    return panel


def _layout(who: gr.Dropdown) -> SideBySidePanel:
    gr.HTML(
        '<p class="quiet">Ask several at once. At a real moment of the held-out part, which no twin has seen, you can '
        "uncover afterwards what was really said.</p>"
    )
    kind = gr.Radio([MINE, REAL], value=MINE, show_label=False, elem_id="compare-kind")
    message = gr.Textbox(label="Message", lines=1, max_lines=4, max_length=4000, elem_id="compare-message")
    with gr.Column(visible=False) as real:
        number = gr.Slider(1, 2, value=1, step=1, label="Moment", elem_id="compare-number")
        moment = gr.HTML(elem_id="compare-moment")
    answering = gr.CheckboxGroup([], label="Who answers", elem_id="compare-who")
    with gr.Row(elem_classes="actions"):
        go = gr.Button("Let them answer", size="sm", scale=0, min_width=160, elem_id="compare-go")
        uncover = gr.Button(
            "Uncover the real answer", size="sm", visible=False, scale=0, min_width=200, elem_id="uncover"
        )
        stop = gr.Button("Stop", size="sm", visible=False, scale=0, min_width=90, elem_id="compare-stop")
    shown, truth = gr.HTML(elem_id="compare-columns"), gr.HTML(elem_id="compare-truth")
    known = gr.State("")
    return SideBySidePanel(
        who, kind, message, real, number, moment, answering, go, uncover, stop, shown, truth, known
    )  # fmt: skip


def _switch(panel: SideBySidePanel, kind: str) -> Updates:
    """From a message of one's own to a moment of the chat, or back."""
    return {
        panel.message: gr.Textbox(visible=kind == MINE),
        panel.real: gr.Column(visible=kind == REAL),
        **_nothing(panel),
    }


def _nothing(panel: SideBySidePanel) -> Updates:
    """No answer yet."""
    hidden = gr.Button(visible=False)
    return {panel.columns: "", panel.truth: "", panel.uncover: hidden, panel.stop: hidden}


def _answer(panel: SideBySidePanel, stage: Stage, request: gr.Request, values: Values) -> Iterator[Updates]:
    """The replies as they grow."""
    from pipeline.chat import stream_side_by_side

    visitor, names = visitor_of(request), values[panel.answering]
    history, began = _asked(panel, visitor, values)
    if not 1 <= len(names) <= MOST:
        raise ChatError(f"Choose one to {MOST} who answer.")
    labels = {name: label for name, label in _labels(visitor).items() if name in names}
    own = [name for name in labels if name not in (BASE, PROMPTED)]
    yield _nothing(panel) | {panel.columns: columns(labels, {}, own), panel.stop: gr.Button(visible=True)}
    replies: dict[str, PartialReply] = {}
    over: Updates = {panel.stop: gr.Button(visible=False)}
    try:
        twins = {name: _load(stage, visitor, values[panel.who], name) for name in labels}
        with stage.models.queue.join() as before:
            for ahead in waiting(before):
                yield {panel.columns: note(f"{count(ahead, 'reply', 'replies')} before yours.")}
            for replies in stream_side_by_side(twins, history, now=began):
                yield {panel.columns: columns(labels, replies, own)}
    except ChatError as error:
        yield {panel.columns: failed(str(error)), **over}
        return
    uncover = gr.Button(visible=values[panel.kind] == REAL)
    yield {panel.columns: columns(labels, replies, own, done=True), panel.uncover: uncover, **over}


def _load(stage: Stage, visitor: Visitor, who: str | None, name: str) -> Twin:
    from pipeline.chat import load_twin

    if name not in (BASE, PROMPTED):
        return load_twin(own_run(visitor, name), loaded=stage.models)
    run_dir = own_twin(visitor, who)
    if run_dir is None:
        return load_twin(None, loaded=stage.models)
    return load_twin(run_dir, kind="base" if name == BASE else "prompted base", loaded=stage.models)


def _labels(visitor: Visitor) -> dict[str, str]:
    """Who can answer: name and label."""
    twins = {folder.name: run_label(folder) for folder in finished_runs(visitor)}
    prompted = {PROMPTED: "The base model, told to write like them and shown some replies"} if twins else {}
    return {**twins, **prompted, BASE: "The base model"}


def _draw(panel: SideBySidePanel, request: gr.Request, who: str | None, known: str) -> Updates:
    """Who can answer, and the moments, where another twin was chosen, or one came or went."""
    visitor = visitor_of(request)
    labels = _labels(visitor)
    now = f"{visitor.folder.stat().st_ino} {who} {' '.join(labels)}"
    if now == known:
        return {}
    chosen = [who, PROMPTED, BASE] if who in labels and who != BASE else [BASE]
    moments = _moments(visitor, who if who in labels else None)
    return {
        panel.answering: gr.CheckboxGroup([(label, name) for name, label in labels.items()], value=chosen),
        panel.number: gr.Slider(minimum=1, maximum=max(2, len(moments)), value=1),
        panel.moment: moment_to_answer(moments, 1),
        panel.known: now,
        **_nothing(panel),
    }


def _moments(visitor: Visitor, who: str | None) -> list[Moment]:
    from pipeline.evaluation import held_out_moments

    run_dir = own_twin(visitor, who)
    return held_out_moments(run_dir) if run_dir else []


def _moment(visitor: Visitor, who: str | None, number: float) -> Moment:
    moments = _moments(visitor, who)
    if not 1 <= number <= len(moments):
        raise ChatError("There is no such moment: choose a twin with held-out replies first.")
    return moments[int(number) - 1]


def _asked(panel: SideBySidePanel, visitor: Visitor, values: Values) -> tuple[Sequence[Message], datetime | None]:
    """What is to be answered, and when it was said where that is known."""
    if values[panel.kind] == REAL:
        moment = _moment(visitor, values[panel.who], values[panel.number])
        return moment.history, moment.row.sent_at
    lines = values[panel.message].strip().splitlines()
    if not lines:
        raise ChatError("Write the message that they should answer.")
    others = others_of(visitor, own_name(visitor, values[panel.who]))
    return [Message(role="user", content=user_turn(others, None, lines))], None


def _show_moment(panel: SideBySidePanel, request: gr.Request, who: str | None, number: float) -> Updates:
    shown = moment_to_answer(_moments(visitor_of(request), who), int(number))
    return {panel.moment: shown, **_nothing(panel)}


def _uncover(panel: SideBySidePanel, request: gr.Request, who: str | None, number: float) -> Updates:
    return {panel.truth: real_answer(_moment(visitor_of(request), who, number))}
