"""The blind test's owner's side, a part of the Chat tab: make moments, approve them, share the link, read the score."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import gradio as gr

from pipeline.errors import ChatError
from pipeline.runs import RunFolder
from tabs.chat.conversations import BASE
from tabs.hub import HOME
from tabs.progress import on_page
from tabs.theme import PEOPLE
from tabs.visitor import Stage, Visitor, own_run, safely, visitor_of
from web.bubbles import stack, visible_bubbles
from web.friends import PATH, chance_line
from web.words import count

if TYPE_CHECKING:
    from pipeline.evaluation.blind import Round, Score

__all__ = ["build"]

MOMENTS = 10
ABOUT = (
    '<p class="quiet">A game to share: at real moments that the twin has never seen, friends guess which answer is the '
    "person's, which the twin's and which the untrained model's. They see the moments you approve and nothing else.</p>"
)


def build(stage: Stage, who: gr.Dropdown) -> None:
    """The blind test of the twin chosen in `who`: empty, moments to approve, shared."""
    private: dict[str, Any] = {"api_visibility": "private"}
    quiet: dict[str, Any] = {"show_progress": "hidden", **private}
    score = gr.HTML(ABOUT, elem_id="blind-score")
    make = gr.Button("Choose moments", size="sm", scale=0, min_width=170, elem_id="blind-make")
    with gr.Column(visible=False, elem_id="blind-approve") as choosing:
        moments = gr.HTML(elem_id="blind-moments")
        approved = gr.CheckboxGroup([], label="Friends may see", elem_id="blind-approved")
        called = gr.Textbox(
            label="What friends see them called", info="Empty: no name", max_lines=1, max_length=60,
            elem_id="blind-called",
        )  # fmt: skip
        with gr.Row(elem_classes="actions"):
            share = gr.Button("Make the link", size="sm", scale=0, min_width=140, elem_id="blind-share")
            again = gr.Button("Refresh the score", size="sm", scale=0, min_width=150, elem_id="blind-refresh")
        link = gr.HTML(elem_id="blind-link")
    shown = [score, make, choosing, moments, approved, called, link]

    def make_moments(request: gr.Request, who: str | None, bar: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008
        from pipeline.evaluation.blind import make_rounds

        visitor = visitor_of(request)
        if who in (None, "", BASE):
            raise ChatError("Choose a twin first: nobody needs to guess which answer is the untrained model's.")

        make_rounds(own_run(visitor, who), MOMENTS, progress=on_page(bar), loaded=stage.models)
        return _shown(visitor, who, request)

    who.change(safely(_draw), who, shown, **quiet)
    again.click(safely(_draw), who, shown, **quiet)
    make.click(
        safely(make_moments), who, shown, concurrency_id="exam", concurrency_limit=1, show_progress_on=score, **private
    )
    share.click(safely(_share), [who, approved, called], shown, **quiet)


def _draw(request: gr.Request, who: str | None) -> list[Any]:
    return _shown(visitor_of(request), who, request)


def _share(request: gr.Request, who: str | None, approved: Sequence[str], called: str) -> list[Any]:
    """Let friends see the ticked moments and no others, and show the link."""
    from pipeline.evaluation import blind

    visitor = visitor_of(request)
    run_dir = own_run(visitor, who)
    blind.approve(run_dir, approved)
    blind.invite(run_dir, called)
    return _shown(visitor, who, request)


def _shown(visitor: Visitor, who: str | None, request: gr.Request) -> list[Any]:
    """Outputs [score, make, choosing, moments, approved, called, link] as the run's folder has it."""
    from pipeline.dataset import read_about
    from pipeline.evaluation import blind

    rounds = [] if who in (None, "", BASE) else blind.read_rounds(own_run(visitor, who))
    if not rounds:
        return [ABOUT, gr.Button("Choose moments"), gr.Column(visible=False), "", gr.CheckboxGroup([]), "", ""]
    run_dir = own_run(visitor, who)
    invitation = blind.read_invitation(run_dir)
    person = read_about(RunFolder(run_dir).dataset.path)[0].person
    choices = [(f"{number}", one.id) for number, one in enumerate(rounds, 1)]
    ticked = [one.id for one in rounds if one.approved]
    return [
        ABOUT + _score(blind.score(run_dir)),
        gr.Button("Choose other moments"),
        gr.Column(visible=True),
        f'<div class="scrolled">{"".join(_moment(number, one) for number, one in enumerate(rounds, 1))}</div>',
        gr.CheckboxGroup(choices, value=ticked),
        invitation.called if invitation else person,
        _link(invitation.key, len(ticked), request) if invitation and ticked else "",
    ]


def _score(score: Score) -> str:
    if not score.guesses:
        return ""
    taken = ", ".join(
        f"the {'base model' if name == 'base' else name} {count(times, 'time')}"
        for name, times in sorted(score.taken.items())
        if name != "person"
    )
    also = f" Taken for the person instead: {escape(taken)}." if taken else ""
    return f'<p class="state">Friends found the person in {escape(chance_line(score))}{also}</p>'


def _moment(number: int, one: Round) -> str:
    """A moment with all that friends would see of it, and whose each answer is."""
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


def _link(key: str, moments: int, request: gr.Request) -> str:
    """The address for friends: the share link where there is one, else the host under which this page was opened."""
    opened = request.headers.get("origin") or f"http://{request.headers.get('host', '')}"
    address = f"{(os.environ.get('CHAT_TWIN_ADDRESS') or opened).rstrip('/')}{PATH}{key}"
    shown = "the moment that is ticked" if moments == 1 else f"the {moments} moments that are ticked"
    about = (
        f"Send this link to friends. It shows {shown}, works while this app runs, and ends when you delete your data."
    )
    if (urlsplit(address).hostname or "") in HOME:
        about += " It opens on this computer only: for friends elsewhere start the app with GRADIO_SHARE=1."
    elif os.environ.get("SPACE_ID"):
        about += " Where the Space is private, they need access to it."
    return (
        f'<p class="quiet">{about}</p><p><a class="download" id="blind-address" href="{escape(address)}" '
        f'target="_blank" rel="noopener">{escape(address)}</a></p>'
    )
