"""Side by side, a part of the Chat tab: one message, or a real moment of the chat, and several who answer it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.prompt import Message
from tabs.chat.conversations import BASE, content_of
from tabs.runs import finished_runs, run_label
from tabs.theme import PEOPLE
from tabs.visitor import Stage, Visitor, own_run, safely, visitor_of
from web.bubbles import failed, note, stack, typing, visible_bubbles, waiting
from web.words import count

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.chat import PartialReply, Twin
    from pipeline.evaluation import Moment

__all__ = ["build"]

PROMPTED = "prompted base"
MOST = 4  # who answer at once
SHOWN = 8  # messages of a moment that are shown; whoever answers reads all
MINE, REAL = "A message of mine", "A real moment of the chat"


def build(stage: Stage, who: gr.Dropdown, drawn: gr.events.Dependency) -> None:
    """Twins, the base model and the base model with a good prompt, in columns.

    `drawn`: the event that has put the twins of now into `who`; before it, `who` may hold one that is gone.
    """
    private: dict[str, Any] = {"api_visibility": "private"}
    quiet: dict[str, Any] = {"show_progress": "hidden", **private}
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
    columns = gr.HTML(elem_id="compare-columns")
    truth = gr.HTML(elem_id="compare-truth")

    def switch(kind: str) -> list[Any]:
        fields = [gr.Textbox(visible=kind == MINE), gr.Column(visible=kind == REAL)]
        return [*fields, "", "", gr.Button(visible=False)]

    known = gr.State("")
    redraw = {"fn": safely(_draw), "inputs": [who, known], "outputs": [answering, number, moment, known], **quiet}
    who.change(**redraw)
    drawn.then(**redraw)
    kind.change(switch, kind, [message, real, columns, truth, uncover], **quiet)
    number.input(
        safely(_show_moment), [who, number], [moment, columns, truth, uncover], trigger_mode="always_last", **quiet
    )
    asked = [who, kind, message, number, answering]
    answers = gr.on(
        [go.click, message.submit], safely(_answer_with(stage)), asked, [columns, truth, uncover, stop],
        concurrency_id="model", concurrency_limit=16, **quiet,
    )  # fmt: skip
    stop.click(lambda: gr.Button(visible=False), None, stop, cancels=[answers], **quiet)
    uncover.click(safely(_uncover), [who, number], truth, **quiet)


def _answer_with(stage: Stage) -> Any:
    def answer(
        request: gr.Request, who: str | None, kind: str, text: str, number: float, names: Sequence[str]
    ) -> Iterator[list[Any]]:
        """Outputs [columns, truth, uncover, stop] as the replies grow."""
        from pipeline.chat.side_by_side import stream_side_by_side

        visitor = visitor_of(request)
        history, began = _asked(visitor, who, kind, text, number)
        if not 1 <= len(names) <= MOST:
            raise ChatError(f"Choose one to {MOST} who answer.")
        labels = {name: label for name, label in _labels(visitor).items() if name in names}
        yield [_columns(labels, {}), "", gr.Button(visible=False), gr.Button(visible=True)]
        replies: dict[str, PartialReply] = {}
        try:
            twins = {name: _load(stage, visitor, who, name) for name in labels}
            with stage.models.queue.join() as before:
                for ahead in waiting(before):
                    yield [note(f"{count(ahead, 'reply', 'replies')} before yours."), "", gr.skip(), gr.skip()]
                for replies in stream_side_by_side(twins, history, now=began):
                    yield [_columns(labels, replies), gr.skip(), gr.skip(), gr.skip()]
        except ChatError as error:
            yield [failed(str(error)), "", gr.Button(visible=False), gr.Button(visible=False)]
            return
        yield [_columns(labels, replies, done=True), "", gr.Button(visible=kind == REAL), gr.Button(visible=False)]

    return answer


def _load(stage: Stage, visitor: Visitor, who: str | None, name: str) -> Twin:
    from pipeline.chat import load_twin

    if name not in (BASE, PROMPTED):
        return load_twin(own_run(visitor, name), loaded=stage.models)
    if who in (None, "", BASE):
        return load_twin(None, loaded=stage.models)
    return load_twin(own_run(visitor, who), kind="base" if name == BASE else "prompted base", loaded=stage.models)


def _labels(visitor: Visitor) -> dict[str, str]:
    """Who can answer: name and label."""
    twins = {folder.name: run_label(folder) for folder in finished_runs(visitor)}
    prompted = {PROMPTED: "The base model, told to write like them and shown some replies"} if twins else {}
    return {**twins, **prompted, BASE: "The base model"}


def _draw(request: gr.Request, who: str | None, known: str) -> list[Any]:
    """Outputs [answering, number, moment, known] where another twin was chosen, or one came or went."""
    visitor = visitor_of(request)
    labels = _labels(visitor)
    now = f"{visitor.folder.stat().st_ino} {who} {' '.join(labels)}"
    if now == known:
        return [gr.skip()] * 4
    chosen = [who, PROMPTED, BASE] if who in labels and who != BASE else [BASE]
    picker = gr.CheckboxGroup([(label, name) for name, label in labels.items()], value=chosen)
    moments = _moments(visitor, who if who in labels else None)
    slider = gr.Slider(minimum=1, maximum=max(2, len(moments)), value=1)
    return [picker, slider, _shown(moments, 1), now]


def _moments(visitor: Visitor, who: str | None) -> list[Moment]:
    from pipeline.evaluation import held_out_moments

    return [] if who in (None, "", BASE) else held_out_moments(own_run(visitor, who))


def _moment(visitor: Visitor, who: str | None, number: float) -> Moment:
    moments = _moments(visitor, who)
    if not 1 <= number <= len(moments):
        raise ChatError("There is no such moment: choose a twin with held-out replies first.")
    return moments[int(number) - 1]


def _asked(
    visitor: Visitor, who: str | None, kind: str, text: str, number: float
) -> tuple[list[Message], datetime | None]:
    """What is to be answered, and when it was said where that is known."""
    if kind == REAL:
        moment = _moment(visitor, who, number)
        return moment.history, moment.row.sent_at
    if not text.strip():
        raise ChatError("Write the message that they should answer.")
    name = BASE if who in (None, "", BASE) else own_run(visitor, who).name
    return [Message(role="user", content=content_of(visitor, name, None, text.strip().splitlines()))], None


def _show_moment(request: gr.Request, who: str | None, number: float) -> list[Any]:
    return [_shown(_moments(visitor_of(request), who), number), "", "", gr.Button(visible=False)]


def _shown(moments: Sequence[Moment], number: float) -> str:
    """What had been said before the moment; the real reply stays hidden."""
    if not moments:
        return '<p class="quiet">This twin has no held-out part to go to.</p>'
    moment = moments[int(number) - 1]
    turns = "".join(_turn(m, quiet=True) for m in moment.history[-SHOWN:])
    when = f"{moment.row.sent_at:%A, %-d %B %Y}"
    return (
        f'<p class="quiet">{number:.0f} of {len(moments):,} · {when}. What was answered here?</p>'
        f'<div class="conversation">{turns}</div>'
    )


def _turn(message: Message, *, quiet: bool) -> str:
    side = "me" if message["role"] == "assistant" else "them"
    return stack(visible_bubbles(message["content"]), side, quiet=quiet, colour=PEOPLE[0])


def _uncover(request: gr.Request, who: str | None, number: float) -> str:
    moment = _moment(visitor_of(request), who, number)
    real = stack(visible_bubbles(moment.reply), "them twin", label="What was really said", colour=PEOPLE[1])
    return f'<div class="conversation">{real}</div>'


def _columns(labels: dict[str, str], replies: dict[str, PartialReply], *, done: bool = False) -> str:
    """A column for each who answers: dots until the first words are there."""
    parts = []
    for name, label in labels.items():
        is_twin = name not in (BASE, PROMPTED)
        colour = PEOPLE[0] if is_twin else ""
        text = replies[name].text if name in replies else ""
        said = stack(visible_bubbles(text), f"them {'twin' if is_twin else ''}", colour=colour) if text else ""
        if not said:
            said = failed("It had nothing to say.") if done else typing(colour)
        parts.append(f'<div class="column"><div class="who" dir="auto">{escape(label)}</div>{said}</div>')
    return f'<div class="columns" aria-live="polite">{"".join(parts)}</div>'
