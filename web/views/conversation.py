"""A conversation with a twin, as HTML: turns with a pencil, one of them perhaps open as a box to write in."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pipeline.charts import FIRST as PEOPLE
from pipeline.prompt import Message, split_bubbles
from web.bubbles import stack, visible_bubbles
from web.words import count

if TYPE_CHECKING:
    from pipeline.chat import Conversation
    from pipeline.dataset import DatasetConfig, Summary

__all__ = ["LONGEST_MESSAGE", "about_base", "about_twin", "conversation_html"]

LONGEST_MESSAGE = 4000
ROWS = 12  # of a box, at most

PEN = (
    '<svg viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor" stroke-width="1.4" '
    'stroke-linejoin="round" aria-hidden="true"><path d="M2.5 13.5l.7-3.2 7.6-7.6 2.5 2.5-7.6 7.6z"/></svg>'
)


def about_base() -> str:
    """What is said above a conversation with the model without training."""
    return (
        '<p class="lead">This is the model before it has learned anything.</p>'
        '<p class="quiet">Train a twin in step 3 to hear the difference.</p>'
    )


def about_twin(config: DatasetConfig, summary: Summary) -> str:
    """What is said above a conversation with a twin: whose it is, and that it is none of them."""
    return (
        f'<p class="lead" dir="auto">A twin of {escape(config.person)}</p>'
        f'<p class="quiet">It learned how they write from {count(summary.train_replies, "reply", "replies")}. '
        "What it says is made up: it is not them, and it does not know what they know.</p>"
    )


def conversation_html(
    conversation: Conversation, tail: str = "", *, still: bool = True, open_at: int | None = None, text: str = ""
) -> str:
    """The conversation, and `tail` below it; `still` ones may be changed: at `open_at` is a box with `text` in it."""
    turns = [
        _box(conversation, place, text) if place == open_at else _turn(message, place, still=still)
        for place, message in enumerate(conversation.messages)
    ]
    if not turns:
        turns = ['<p class="quiet hint">Say hello.</p>']
    return f'<div class="conversation" aria-live="polite">{"".join(turns)}{tail}</div>'


def _turn(message: Message, place: int, *, still: bool) -> str:
    mine = message["role"] == "user"
    beside = _pencil(place, mine=mine) if still else ""
    if mine:
        return stack(split_bubbles(message["content"]), "me mine", quiet=True, beside=beside)
    return stack(visible_bubbles(message["content"]), "them twin", colour=PEOPLE[0], beside=beside)


def _pencil(place: int, *, mine: bool) -> str:
    """The button that opens the box of the turn at `place`."""
    what = "Change my message" if mine else "Change this answer"
    return (
        f'<button type="button" class="pencil" data-ask="edit" data-place="{place}" title="{what}" '
        f'aria-label="{what}">{PEN}</button>'
    )


def _box(conversation: Conversation, place: int, text: str) -> str:
    """The turn at `place` as a box to write in."""
    mine = conversation.messages[place]["role"] == "user"
    later = len(conversation.messages) - place - 1
    rows = min(ROWS, 1 + sum(1 + len(line) // 60 for line in text.split("\n")))
    said = ["A line for each message."]
    if mine:
        said.append("It is answered anew.")
    if later > (1 if mine else 0):
        said.append("What came after it goes.")
    return (
        f'<div class="turn {"me mine" if mine else "them twin"} changing" data-place="{place}">'
        f'<textarea dir="auto" rows="{rows}" maxlength="{LONGEST_MESSAGE}" '
        f'aria-label="{"My message" if mine else "This answer"}">{escape(text)}</textarea>'
        f'<p class="quiet">{" ".join(said)}</p><div class="choices">'
        f'<button type="button" class="go" data-ask="submit">{"Send" if mine else "Keep"}</button>'
        '<button type="button" data-ask="clear">Cancel</button></div></div>'
    )
