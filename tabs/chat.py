"""Step 4: talk to a twin. Replies stream in, in bubbles, as people write."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.prompt import split_bubbles
from tabs import blind, compare, exam, hub, learning
from tabs.bubbles import failed, note, stack, typing, visible_bubbles, waiting
from tabs.runs import finished_runs, run_label
from tabs.talks import BASE, Talk, content_of, others_of, read_talk, write_talk
from tabs.theme import PEOPLE
from tabs.visitor import Stage, Visitor, load_choices, own_run, safely, save_choices, visitor_of
from tabs.words import count

if TYPE_CHECKING:
    from pipeline.chat import GenerationConfig, Twin
    from pipeline.hub import Upload

__all__ = ["build"]

LONGEST_MESSAGE = 4000
PARTS = (
    ("Side by side, and at real moments", "compare", compare),
    ("Exam: how much is it like them?", "exam", exam),
    ("Blind test: can friends tell?", "blind", blind),
    ("How many messages are enough?", "learning", learning),
)


def build(stage: Stage) -> None:
    """The tab: empty (no twin yet, but the base model can be talked to), ready, answering, failed."""
    private: dict[str, Any] = {"api_visibility": "private"}
    quiet: dict[str, Any] = {"show_progress": "hidden", **private}
    head = gr.HTML(elem_id="chat-head")
    with gr.Row(equal_height=True, elem_classes="actions"):
        who = gr.Dropdown([], label="Who answers", elem_id="who", scale=1, filterable=False)
        me = gr.Dropdown([], label="Who you are", elem_id="me", scale=1, filterable=False, visible=False)
    talk = gr.HTML(elem_id="talk", autoscroll=True)
    with gr.Row(equal_height=True, elem_id="saying"):
        say = gr.Textbox(
            placeholder="Write as you would write to them", show_label=False, container=False, lines=1, max_lines=5,
            max_length=LONGEST_MESSAGE, elem_id="say", scale=1,
        )  # fmt: skip
        send = gr.Button("Send", variant="primary", scale=0, min_width=96, elem_id="send")
        stop = gr.Button("Stop", visible=False, scale=0, min_width=96, elem_id="stop-reply")
    with gr.Row(elem_classes="actions"):
        again = gr.Button("Another answer", size="sm", scale=0, min_width=140, elem_id="regenerate")
        edit = gr.Button("Change my message", size="sm", scale=0, min_width=160, elem_id="edit")
        over = gr.Button("Start over", size="sm", scale=0, min_width=110, elem_id="start-over")
    with gr.Accordion("Settings", open=False, elem_classes="fold"):
        own = gr.Checkbox(False, label="Use these instead of what suits the twin")
        temperature = gr.Slider(0, 1.5, value=0.9, step=0.05, label="Temperature", info="0: always the likeliest word")
        top_p = gr.Slider(0.1, 1, value=0.95, step=0.01, label="Top-p", info="Choose among the likeliest words")
        longest = gr.Slider(20, 400, value=200, step=10, label="Longest reply, in tokens")
    for label, name, part in PARTS:
        with gr.Accordion(label, open=False, elem_classes="fold", elem_id=f"{name}-fold"):
            part.build(stage, who)
    with gr.Accordion("To the Hub", open=False, elem_classes="fold", elem_id="adapter-hub"):
        hub.build("The twin's adapter", "adapter", _prepare)
    knobs = [own, temperature, top_p, longest]
    changed = [stage.runs.change, stage.dataset.change, stage.chat.change]
    known = gr.State("")
    gr.on(changed, safely(_draw), known, [head, who, me, talk, known], **quiet)
    who.input(safely(_choose), who, [head, me, talk], **quiet)
    # Those who wait stand in our own line, which says how many are before them; Gradio's would say nothing.
    answer = {"outputs": [talk, say, send, stop], "concurrency_id": "model", "concurrency_limit": 16, **quiet}
    sent = gr.on([send.click, say.submit], safely(_answer_with(stage)), [say, who, me, *knobs], **answer)
    anew = again.click(safely(_again_with(stage)), [who, *knobs], **answer)
    stop.click(None, None, None, cancels=[sent, anew], **private).then(
        safely(_settle), who, [talk, send, stop], **quiet
    )
    edit.click(safely(_edit), who, [talk, say], cancels=[sent, anew], **quiet)
    over.click(safely(_start_over), who, [talk, send, stop], cancels=[sent, anew], **quiet)


def _answer_with(stage: Stage) -> Any:
    def answer(request: gr.Request, text: str, who: str | None, me: str | None, *knobs: Any) -> Iterator[list[Any]]:
        """Say something, and stream what the twin answers."""
        visitor = visitor_of(request)
        name = _own(visitor, who)
        text = text.strip()
        if not text:
            yield [gr.skip()] * 4
            return
        content = content_of(visitor, name, me, text[:LONGEST_MESSAGE].splitlines())
        said = read_talk(visitor, name).add("user", content)
        write_talk(visitor, name, said)
        yield from _reply(stage, visitor, name, said, knobs)

    return answer


def _again_with(stage: Stage) -> Any:
    def again(request: gr.Request, who: str | None, *knobs: Any) -> Iterator[list[Any]]:
        """Drop the last reply and have the visitor's last message answered again."""
        visitor = visitor_of(request)
        name = _own(visitor, who)
        said = read_talk(visitor, name).without_reply()
        if not said.messages:
            yield [gr.skip()] * 4
            return
        write_talk(visitor, name, said)
        yield from _reply(stage, visitor, name, said, knobs)

    return again


def _reply(stage: Stage, visitor: Visitor, name: str, said: Talk, knobs: tuple[Any, ...]) -> Iterator[list[Any]]:
    """Outputs [talk, say, send, stop] as the reply grows; what is there is kept, even if it is stopped or left."""
    from pipeline.chat import stream

    busy, free = (
        [gr.Button(visible=False), gr.Button(visible=True)],
        [gr.Button(visible=True), gr.Button(visible=False)],
    )
    reply = ""
    yield [_conversation(said, typing(PEOPLE[0])), "", *busy]
    try:
        twin = _twin(stage, visitor, name)
        key = f"{visitor.folder.name}/{name}"
        with stage.models.line.join() as before:
            for ahead in waiting(before):
                yield [_conversation(said, note(f"{count(ahead, 'reply', 'replies')} before yours.")), "", *busy]
            pieces = stream(twin, said.messages, _generation(twin, knobs), now=said.began_at, visitor=key)
            for piece in pieces:
                reply = piece.text
                if reply:
                    yield [_conversation(said, _bubbles(reply)), gr.skip(), *busy]
        if not reply:
            reply = "…"
    except ChatError as error:
        yield [_conversation(said, failed(str(error))), gr.skip(), *free]
        return
    finally:
        if reply:
            write_talk(visitor, name, said.add("assistant", reply))
    yield [_conversation(said, _bubbles(reply)), gr.skip(), *free]


def _me(visitor: Visitor, name: str) -> gr.Dropdown:
    """Who the visitor may be: a choice in a group only."""
    others = others_of(visitor, name)
    return gr.Dropdown(list(others), value=others[0] if others else None, visible=len(others) > 1)


def _twin(stage: Stage, visitor: Visitor, name: str) -> Twin:
    from pipeline.chat import load_twin

    return load_twin(None if name == BASE else own_run(visitor, name), loaded=stage.models)


def _generation(twin: Twin, knobs: tuple[Any, ...]) -> GenerationConfig:
    """What suits the twin, or the visitor's own settings."""
    from pipeline.chat import GenerationConfig

    own, temperature, top_p, longest = knobs
    if not own:
        return twin.generation
    return GenerationConfig(temperature=temperature, top_p=top_p, max_new_tokens=int(longest))


def _own(visitor: Visitor, who: str | None) -> str:
    """The name of a twin of this visitor, or the base model's; raises ChatError for any other."""
    if who in (None, "", BASE):
        return BASE
    return own_run(visitor, who).name


def _choose(request: gr.Request, who: str | None) -> list[Any]:
    visitor = visitor_of(request)
    name = _own(visitor, who)
    save_choices(visitor, twin=name)
    return [_head(visitor, name), _me(visitor, name), _conversation(read_talk(visitor, name))]


def _edit(request: gr.Request, who: str | None) -> list[Any]:
    """Take the visitor's last message back into the box, and the conversation to before it."""
    visitor = visitor_of(request)
    name = _own(visitor, who)
    talk, text = read_talk(visitor, name).take_back(others_of(visitor, name))
    if text is None:
        return [gr.skip(), gr.skip()]
    write_talk(visitor, name, talk)
    return [_conversation(talk), text]


def _settle(request: gr.Request, who: str | None) -> list[Any]:
    """After a stop: what is kept, and the buttons as they were."""
    visitor = visitor_of(request)
    return [_conversation(read_talk(visitor, _own(visitor, who))), gr.Button(visible=True), gr.Button(visible=False)]


def _start_over(request: gr.Request, who: str | None) -> list[Any]:
    visitor = visitor_of(request)
    name = _own(visitor, who)
    (visitor.folder / "talks" / f"{name}.json").unlink(missing_ok=True)
    return _settle(request, who)


def _draw(request: gr.Request, known: str) -> list[Any]:
    """The tab anew when a twin came or went; not with every step of a training, in the middle of a conversation."""
    visitor = visitor_of(request)
    folders = finished_runs(visitor)
    names = [folder.name for folder in folders]
    now = f"{visitor.folder.stat().st_ino} {' '.join(names)}"
    if now == known:
        return [gr.skip()] * 5
    choices = [(run_label(folder), folder.name) for folder in folders] + [("The base model, untrained", BASE)]
    chosen = load_choices(visitor).get("twin")
    if chosen not in names or (names and chosen == BASE):
        chosen = names[0] if names else BASE
    picker = gr.Dropdown(choices, value=chosen)
    talk = _conversation(read_talk(visitor, chosen))
    return [_head(visitor, chosen), picker, _me(visitor, chosen), talk, now]


def _prepare(visitor: Visitor, folder: Path) -> Upload:
    """What a push of the chosen twin (or the newest) would upload."""
    from pipeline.hub import prepare_adapter

    names = [run.name for run in finished_runs(visitor)]
    chosen = load_choices(visitor).get("twin")
    if not names:
        raise ChatError("There is no twin yet: train one in step 3.")
    return prepare_adapter(own_run(visitor, chosen if chosen in names else names[0]), folder)


def _head(visitor: Visitor, name: str) -> str:
    from pipeline.dataset import read_about

    if name == BASE:
        return (
            '<p class="lead">This is the model before it has learned anything.</p>'
            '<p class="quiet">Train a twin in step 3 to hear the difference.</p>'
        )
    config, summary = read_about(own_run(visitor, name) / "dataset")
    return (
        f'<p class="lead" dir="auto">A twin of {escape(config.person)}</p>'
        f'<p class="quiet">It learned how they write from {count(summary.train_replies, "reply", "replies")}. '
        "What it says is made up: it is not them, and it does not know what they know.</p>"
    )


def _conversation(talk: Talk, tail: str = "") -> str:
    turns = [
        stack(split_bubbles(message["content"]), "me mine", quiet=True) if message["role"] == "user"
        else _bubbles(message["content"])
        for message in talk.messages
    ]  # fmt: skip
    if not turns:
        turns = ['<p class="quiet hint">Say hello.</p>']
    return f'<div class="conversation" aria-live="polite">{"".join(turns)}{tail}</div>'


def _bubbles(reply: str) -> str:
    return stack(visible_bubbles(reply), "them twin", colour=PEOPLE[0])
