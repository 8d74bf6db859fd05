"""The blind test as its owner sees it: what it is, the score, moments to approve, and the link for friends."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pipeline.charts import FIRST as PEOPLE
from web.bubbles import stack, visible_bubbles
from web.friends import chance_line
from web.words import count

if TYPE_CHECKING:
    from pipeline.evaluation import Round, Score

__all__ = ["ABOUT_BLIND_TEST", "invitation_link", "moments_to_approve", "score_line"]

ABOUT_BLIND_TEST = (
    '<p class="quiet">A game to share: at real moments that the twin has never seen, friends guess which answer is the '
    "person's, which the twin's and which the untrained model's. They see the moments you approve and nothing else.</p>"
)


def score_line(score: Score) -> str:
    """How often friends found the person, and whom they took for them."""
    if not score.guesses:
        return ""
    taken = ", ".join(
        f"the {'base model' if name == 'base' else name} {count(times, 'time')}"
        for name, times in sorted(score.taken.items())
        if name != "person"
    )
    also = f" Taken for the person instead: {escape(taken)}." if taken else ""
    return f'<p class="state">Friends found the person in {escape(chance_line(score))}{also}</p>'


def moments_to_approve(rounds: Sequence[Round]) -> str:
    """Every moment with all that friends would see of it, and whose each answer is."""
    return f'<div class="scrolled">{"".join(_moment(number, one) for number, one in enumerate(rounds, 1))}</div>'


def _moment(number: int, one: Round) -> str:
    said = "".join(
        _turn(message.content, "me" if message.role == "assistant" else "them", quiet=True) for message in one.history
    )
    answers = "".join(
        _turn(text, "me" if name == "person" else "me twin", label=label)
        for name, label in (("person", "really"), ("twin", "the twin"), ("base", "the base model"))
        if (text := one.answers.get(name))  # type: ignore[call-overload]
    )
    return f'<h4 class="moment">{number}</h4><div class="conversation">{said}{answers}</div>'


def _turn(text: str, side: str, *, label: str = "", quiet: bool = False) -> str:
    return stack(visible_bubbles(text), side, label=label, quiet=quiet, colour=PEOPLE[0])


def invitation_link(address: str, moments: int, hint: str) -> str:
    """The link for friends, how many moments it shows, and `hint` on who can open it."""
    shown = "the moment that is ticked" if moments == 1 else f"the {moments} moments that are ticked"
    about = (
        f"Send this link to friends. It shows {shown}, works while this app runs, and ends when you delete your data."
    )
    return (
        f'<p class="quiet">{about}{hint}</p><p><a class="download" id="blind-address" href="{escape(address)}" '
        f'target="_blank" rel="noopener">{escape(address)}</a></p>'
    )
