"""Several who answer, as HTML: a moment of the chat, a column for each, and what was really said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from pipeline.charts import FIRST as PEOPLE
from pipeline.prompt import Message
from web.bubbles import failed, stack, typing, visible_bubbles

if TYPE_CHECKING:
    from pipeline.chat import PartialReply
    from pipeline.evaluation import Moment

__all__ = ["columns", "moment_to_answer", "real_answer"]

SHOWN = 8  # messages of a moment; whoever answers reads all


def moment_to_answer(moments: Sequence[Moment], number: int) -> str:
    """What had been said before a moment (`number` from 1); the real reply stays hidden."""
    if not moments:
        return '<p class="quiet">This twin has no held-out part to go to.</p>'
    moment = moments[number - 1]
    turns = "".join(map(_turn, moment.history[-SHOWN:]))
    when = f"{moment.row.sent_at:%A, %-d %B %Y}"
    return (
        f'<p class="quiet">{number} of {len(moments):,} · {when}. What was answered here?</p>'
        f'<div class="conversation">{turns}</div>'
    )


def real_answer(moment: Moment) -> str:
    """What was really said at a moment."""
    real = stack(visible_bubbles(moment.reply), "them twin", label="What was really said", colour=PEOPLE[1])
    return f'<div class="conversation">{real}</div>'


def columns(
    labels: Mapping[str, str], replies: Mapping[str, PartialReply], twins: Collection[str], *, done: bool = False
) -> str:
    """A column for each who answers, those of `twins` in the person's colour: dots until the first words are there."""
    parts = []
    for name, label in labels.items():
        colour = PEOPLE[0] if name in twins else ""
        text = replies[name].text if name in replies else ""
        said = stack(visible_bubbles(text), f"them {'twin' if name in twins else ''}", colour=colour) if text else ""
        if not said:
            said = failed("It had nothing to say.") if done else typing(colour)
        parts.append(f'<div class="column"><div class="who" dir="auto">{escape(label)}</div>{said}</div>')
    return f'<div class="columns" aria-live="polite">{"".join(parts)}</div>'


def _turn(message: Message) -> str:
    side = "me" if message["role"] == "assistant" else "them"
    return stack(visible_bubbles(message["content"]), side, quiet=True, colour=PEOPLE[0])
