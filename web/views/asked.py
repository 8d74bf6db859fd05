"""The moments that answer a question, quoted, each with its date, and the chat around it to unfold."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from web.bubbles import note, stack

if TYPE_CHECKING:
    from pipeline.retrieval import Moment

__all__ = ["answers", "remembering"]

Said = tuple[str, str]  # who, what


def answers(
    moments: Sequence[tuple[Moment, Sequence[Said], Sequence[Said]]], mine: str, colours: Mapping[str, str]
) -> str:
    """These moments, each with what was said before and after it; `mine` is who stands on the right."""
    if not moments:
        return note("Nothing in this chat bears on that. Ask in other words, or for less.")
    shown = []
    for moment, before, after in moments:
        first = moment.messages[0].sent_at
        said = [(one.sender, one.text) for one in moment.messages]
        shown.append(
            f'<section class="asked"><h4>{first:%A}, {first.day} {first:%B %Y, %H:%M}</h4>'
            f"{_folded('Before', before, mine, colours)}{_talk(said, mine, colours)}"
            f"{_folded('After', after, mine, colours)}</section>"
        )
    return "".join(shown)


def remembering(share: float) -> str:
    """How far a chat is read before it can be asked for the first time."""
    return (
        f'<p class="quiet">Reading the chat once, so that it can be asked: {100 * share:.0f} %</p>'
        f'<div class="meter"><i style="width:{100 * share:.1f}%"></i></div>'
    )


def _folded(label: str, said: Sequence[Said], mine: str, colours: Mapping[str, str]) -> str:
    if not said:
        return ""
    return f"<details><summary>{label}</summary>{_talk(said, mine, colours, quiet=True)}</details>"


def _talk(said: Iterable[Said], mine: str, colours: Mapping[str, str], *, quiet: bool = False) -> str:
    turns = []
    for who, lines in itertools.groupby(said, key=lambda one: one[0]):
        side = "me" if who == mine else "them" if quiet else "them twin"  # what is not quiet bears its person's colour
        turns.append(stack([text for _, text in lines], side, label=who, quiet=quiet, colour=colours.get(who, "")))
    return f'<div class="conversation">{"".join(turns)}</div>'
