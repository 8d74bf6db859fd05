"""Step 4: talk to a twin. Replies stream in, in bubbles, as people write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.prompt import Message, split_bubbles
from pipeline.runs import RunFolder
from tabs import hub
from tabs.chat import blind_test as blind
from tabs.chat import exam
from tabs.chat import learning_curve as learning
from tabs.chat import side_by_side as compare
from tabs.chat.conversations import BASE, Talk, content_of, exchange_talk, others_of, read_talk, write_talk
from tabs.chat.editing import LONGEST_MESSAGE, SCRIPT, asked_for, box, pencil
from tabs.runs import finished_runs, run_label
from tabs.theme import PEOPLE
from tabs.visitor import Stage, Visitor, load_choices, own_run, safely, save_choices, visitor_of
from web.bubbles import failed, note, stack, typing, visible_bubbles, waiting
from web.words import count

if TYPE_CHECKING:
    from pipeline.chat import Twin
    from pipeline.dataset import Rhythm
    from pipeline.hub import Upload
    from pipeline.inference import GenerationConfig

__all__ = ["build"]

PARTS = (
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
    talk = gr.HTML(elem_id="talk", autoscroll=True, js_on_load=SCRIPT)
    with gr.Row(equal_height=True, elem_id="saying"):
        say = gr.Textbox(
            placeholder="Write a message", show_label=False, container=False, lines=1, max_lines=5,
            max_length=LONGEST_MESSAGE, elem_id="say", scale=1,
        )  # fmt: skip
        send = gr.Button("Send", variant="primary", scale=0, min_width=96, elem_id="send")
        stop = gr.Button("Stop", visible=False, scale=0, min_width=96, elem_id="stop-reply")
    with gr.Row(elem_classes="actions", elem_id="after-saying"):
        again = gr.Button("Another answer", size="sm", scale=0, min_width=140, elem_id="regenerate")
        over = gr.Button("Start over", size="sm", scale=0, min_width=110, elem_id="start-over")
        paced = gr.Checkbox(False, label="At their own pace", container=False, visible=False, elem_id="paced", scale=0)
    settings = _settings()
    known = gr.State("")
    changed = [stage.runs.change, stage.dataset.change, stage.chat.change]
    drawn = gr.on(changed, safely(_draw), known, [head, who, me, paced, talk, known], **quiet)
    with gr.Accordion("Side by side, and at real moments", open=False, elem_classes="fold", elem_id="compare-fold"):
        compare.build(stage, who, drawn)
    for label, name, part in PARTS:
        with gr.Accordion(label, open=False, elem_classes="fold", elem_id=f"{name}-fold"):
            part.build(stage, who)
    with gr.Accordion("To the Hub", open=False, elem_classes="fold", elem_id="adapter-hub"):
        hub.build("The twin's adapter", "adapter", _prepare)
    knobs = [paced, *settings]
    who.input(safely(_choose), who, [head, me, paced, talk], **quiet)
    paced.input(safely(_pace), paced, None, **quiet)
    # Those who wait stand in our own line, which says how many are before them; Gradio's would say nothing.
    answer = {"outputs": [talk, say, send, stop], "concurrency_id": "model", "concurrency_limit": 16, **quiet}
    sent = gr.on([send.click, say.submit], safely(_answer_with(stage)), [say, who, me, *knobs], **answer)
    anew = again.click(safely(_again_with(stage)), [who, *knobs], cancels=[sent], **answer)
    talk.edit(safely(_open_box), who, talk, **quiet)
    talk.clear(safely(_close_box), who, talk, **quiet)
    other = talk.submit(safely(_change_with(stage)), [who, *knobs], **answer)
    answers = [sent, anew, other]
    # Whatever asks for a reply ends the one that is still coming.
    gr.on([send.click, say.submit], None, None, None, cancels=[anew, other], **private)
    talk.submit(None, None, None, cancels=[sent, anew], **private)
    stop.click(None, None, None, cancels=answers, **private).then(safely(_settle), who, [talk, send, stop], **quiet)
    over.click(safely(_start_over), who, [talk, send, stop], cancels=answers, **quiet)


def _settings() -> list[Any]:
    """The fold of how replies are sampled, in the order of `_generation`'s settings."""
    with gr.Accordion("Settings", open=False, elem_classes="fold"):
        own = gr.Checkbox(False, label="Use these instead of what suits the twin")
        temperature = gr.Slider(0, 1.5, value=0.9, step=0.05, label="Temperature", info="0: always the likeliest word")
        top_p = gr.Slider(0.1, 1, value=0.95, step=0.01, label="Top-p", info="Choose among the likeliest words")
        longest = gr.Slider(20, 400, value=200, step=10, label="Longest reply, in tokens")
    return [own, temperature, top_p, longest]


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
        yield from _reply(stage, visitor, name, read_talk(visitor, name).add("user", content), knobs)

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
        yield from _reply(stage, visitor, name, said, knobs)

    return again


def _change_with(stage: Stage) -> Any:
    def change(request: gr.Request, event: gr.EventData, who: str | None, *knobs: Any) -> Iterator[list[Any]]:
        """Put other words in a turn: the conversation goes on from there, and one's own message is answered anew."""
        visitor = visitor_of(request)
        name = _own(visitor, who)
        talk = read_talk(visitor, name)
        place, text = asked_for(talk, event)
        said = talk.changed(place, text, others_of(visitor, name))
        if said.messages[place]["role"] == "user":
            yield from _reply(stage, visitor, name, said, knobs)
            return
        write_talk(visitor, name, said)
        yield [_conversation(said), gr.skip(), gr.skip(), gr.skip()]

    return change


def _reply(stage: Stage, visitor: Visitor, name: str, said: Talk, knobs: tuple[Any, ...]) -> Iterator[list[Any]]:
    """Outputs [talk, say, send, stop] as the reply grows; what was shown is kept, even if it is stopped or left."""
    busy, free = (
        [gr.Button(visible=False), gr.Button(visible=True)],
        [gr.Button(visible=True), gr.Button(visible=False)],
    )
    paced, *settings = knobs
    write_talk(visitor, name, said)
    kept, reply = said, ""
    yield [_conversation(said, typing(PEOPLE[0]), still=False), "", *busy]
    try:
        for text, tail in _growing(stage, visitor, name, said, paced, tuple(settings)):
            if paced and read_talk(visitor, name) != kept:
                # Started over, or changed, in the pause before this bubble: it is not said any more.
                yield [_conversation(read_talk(visitor, name)), gr.skip(), *free]
                return
            grown = said.add("assistant", text) if text else said
            yield [_conversation(grown, tail, still=False), gr.skip(), *busy]
            reply = text
            if paced and grown != kept and exchange_talk(visitor, name, kept, grown):
                kept = grown
        reply = reply or "…"
    except ChatError as error:
        yield [_conversation(said, failed(str(error))), gr.skip(), *free]
        return
    finally:
        if reply:
            exchange_talk(visitor, name, kept, said.add("assistant", reply))
    yield [_conversation(said.add("assistant", reply)), gr.skip(), *free]


def _growing(
    stage: Stage, visitor: Visitor, name: str, said: Talk, paced: bool, settings: tuple[Any, ...]
) -> Iterator[tuple[str, str]]:
    """The reply so far, and what stands below it; at their own pace bubble by bubble, in the person's time."""
    from pipeline.chat import Pace, stream

    rhythm = _rhythm(visitor, name) if paced else None
    pace = Pace(rhythm) if rhythm else None
    dots = typing(PEOPLE[0])
    twin = _twin(stage, visitor, name)
    with stage.models.queue.join() as before:
        for ahead in waiting(before):
            yield "", note(f"{count(ahead, 'reply', 'replies')} before yours.")
        shown = ""
        replies = stream(
            twin,
            said.messages,
            _generation(twin, settings),
            now=said.began_at,
            cache_key=f"{visitor.folder.name}/{name}",
        )
        for reply in replies:
            text = pace.grow(reply) if pace else reply.text
            if text != shown:
                shown = text
                yield text, dots if pace else ""
    for text, pause in pace.rest() if pace else ():
        time.sleep(pause)
        yield text, dots


def _me(visitor: Visitor, name: str) -> gr.Dropdown:
    """Who the visitor may be: a choice in a group only."""
    others = others_of(visitor, name)
    return gr.Dropdown(list(others), value=others[0] if others else None, visible=len(others) > 1)


def _twin(stage: Stage, visitor: Visitor, name: str) -> Twin:
    from pipeline.chat import load_twin

    return load_twin(None if name == BASE else own_run(visitor, name), loaded=stage.models)


def _rhythm(visitor: Visitor, name: str) -> Rhythm | None:
    from pipeline.dataset import read_about

    return None if name == BASE else read_about(RunFolder(own_run(visitor, name)).dataset.path)[1].rhythm


def _paced(visitor: Visitor, name: str) -> gr.Checkbox:
    """The switch for the person's own pace, where their chat shows one."""
    from pipeline.dataset import read_about

    if _rhythm(visitor, name) is None:
        return gr.Checkbox(value=False, visible=False)
    person = read_about(RunFolder(own_run(visitor, name)).dataset.path)[0].person
    return gr.Checkbox(
        value=bool(load_choices(visitor).get("paced")), label=f"As fast as {person} writes", visible=True
    )


def _pace(request: gr.Request, paced: bool) -> None:
    save_choices(visitor_of(request), paced=paced or None)


def _generation(twin: Twin, settings: tuple[Any, ...]) -> GenerationConfig:
    """What suits the twin; with the visitor's own settings in it, where there are some."""
    from pipeline.inference import GenerationConfig

    own, temperature, top_p, longest = settings
    if not own:
        return twin.generation
    mine = {"temperature": temperature, "top_p": top_p, "max_new_tokens": int(longest)}
    # What was tuned stays: it makes replies as long as the person's.
    return GenerationConfig(**{**twin.generation.model_dump(), **mine})


def _own(visitor: Visitor, who: str | None) -> str:
    """The name of a twin of this visitor, or the base model's; raises ChatError for any other."""
    if who in (None, "", BASE):
        return BASE
    return own_run(visitor, who).name


def _choose(request: gr.Request, who: str | None) -> list[Any]:
    visitor = visitor_of(request)
    name = _own(visitor, who)
    save_choices(visitor, twin=name)
    return [_head(visitor, name), _me(visitor, name), _paced(visitor, name), _conversation(read_talk(visitor, name))]


def _open_box(request: gr.Request, event: gr.EventData, who: str | None) -> str:
    """The conversation with one of its turns as a box to write in."""
    visitor = visitor_of(request)
    name = _own(visitor, who)
    talk = read_talk(visitor, name)
    place, _ = asked_for(talk, event)
    return _conversation(talk, open_at=place, text=talk.text_at(place, others_of(visitor, name)))


def _close_box(request: gr.Request, who: str | None) -> str:
    visitor = visitor_of(request)
    return _conversation(read_talk(visitor, _own(visitor, who)))


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
        return [gr.skip()] * 6
    choices = [(run_label(folder), folder.name) for folder in folders] + [("The base model, untrained", BASE)]
    chosen = load_choices(visitor).get("twin")
    if chosen not in names or (names and chosen == BASE):
        chosen = names[0] if names else BASE
    picker = gr.Dropdown(choices, value=chosen)
    talk = _conversation(read_talk(visitor, chosen))
    return [_head(visitor, chosen), picker, _me(visitor, chosen), _paced(visitor, chosen), talk, now]


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
    config, summary = read_about(RunFolder(own_run(visitor, name)).dataset.path)
    return (
        f'<p class="lead" dir="auto">A twin of {escape(config.person)}</p>'
        f'<p class="quiet">It learned how they write from {count(summary.train_replies, "reply", "replies")}. '
        "What it says is made up: it is not them, and it does not know what they know.</p>"
    )


def _conversation(talk: Talk, tail: str = "", *, still: bool = True, open_at: int | None = None, text: str = "") -> str:
    """The conversation, and `tail` below it; `still` ones may be changed: at `open_at` is a box with `text` in it."""
    turns = [
        box(talk, place, text) if place == open_at else _turn(message, pencil(place, mine=mine) if still else "")
        for place, message in enumerate(talk.messages)
        for mine in [message["role"] == "user"]
    ]
    if not turns:
        turns = ['<p class="quiet hint">Say hello.</p>']
    return f'<div class="conversation" aria-live="polite">{"".join(turns)}{tail}</div>'


def _turn(message: Message, beside: str = "") -> str:
    if message["role"] == "user":
        return stack(split_bubbles(message["content"]), "me mine", quiet=True, beside=beside)
    return stack(visible_bubbles(message["content"]), "them twin", colour=PEOPLE[0], beside=beside)
