"""Messages as bubbles: HTML of our own, every character escaped, so that nothing in a chat can load or run anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from html import escape

from pipeline.prompt import Message, split_bubbles

__all__ = ["conversation", "failed", "note", "stack", "typing", "visible_bubbles", "waiting"]


def visible_bubbles(text: str) -> list[str]:
    """The bubbles of a turn that hold anything to see."""
    return [bubble for bubble in split_bubbles(text) if bubble.strip()]


def stack(
    texts: Sequence[str], side: str, *, label: str = "", quiet: bool = False, colour: str = "", beside: str = ""
) -> str:
    """One turn: its bubbles on top of each other. `side` is "me" or "them"; `quiet` is for what is not learned from.

    beside: HTML of our own that stands beside the last bubble.
    """
    style = f' style="--person:{escape(colour, quote=True)}"' if colour else ""
    name = f'<div class="who" dir="auto">{escape(label)}</div>' if label else ""
    shown = [text for text in texts if text]
    bubbles = "".join(
        f'<div class="bubble" dir="auto">{escape(text)}{beside if number == len(shown) else ""}</div>'
        for number, text in enumerate(shown, 1)
    )
    return f'<div class="turn {side}{" quiet" if quiet else ""}"{style}>{name}{bubbles}</div>'


def typing(colour: str = "") -> str:
    """Three dots while the twin has not written anything yet."""
    style = f' style="--person:{escape(colour, quote=True)}"' if colour else ""
    return (
        f'<div class="turn them typing" role="status" aria-label="The twin is writing"{style}>'
        '<div class="bubble"><i></i><i></i><i></i></div></div>'
    )


def conversation(messages: Sequence[Message], *, twin: str, learn_from: int | None = None) -> str:
    """A row of a dataset as a chat: the twin's turns right and tinted where they are learned from (`learn_from` on)."""
    turns = []
    for index, message in enumerate(messages):
        if message["role"] == "system":
            turns.append(f'<div class="situation" dir="auto">{escape(message["content"])}</div>')
            continue
        mine = message["role"] == "assistant"
        quiet = not mine or (learn_from is not None and index < learn_from)
        turns.append(stack(split_bubbles(message["content"]), "me" if mine else "them", quiet=quiet, colour=twin))
    return f'<div class="conversation">{"".join(turns)}</div>'


def waiting(before: Callable[[], int]) -> Iterator[int]:
    """How many stand before us in a line, each time that it changes, until it is our turn."""
    known = 0
    while ahead := before():
        if ahead != known:
            known = ahead
            yield ahead
        time.sleep(0.2)


def note(text: str, kind: str = "quiet") -> str:
    """A paragraph of the app's own words."""
    return f'<p class="{kind}">{escape(text)}</p>'


def failed(text: str) -> str:
    """The failed state: one sentence."""
    return f'<p class="failed" role="alert">{escape(text)}</p>'
