"""The blind test's owner's side, a part of the Chat tab: make moments, approve them, share the link, read the score."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr

from pipeline.errors import ChatError
from pipeline.runs import RunFolder
from pipeline.visitors import own_run
from tabs.hub import HOME
from tabs.progress import on_page
from tabs.visitor import Stage, own_twin, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates, parts
from web.friends import PATH
from web.views.blind_test import ABOUT_BLIND_TEST, invitation_link, moments_to_approve, score_line

__all__ = ["BlindTestPanel", "build"]

MOMENTS = 10


@dataclass(frozen=True)
class BlindTestPanel:
    """The blind test of a twin: empty, moments to approve, shared."""

    score: gr.HTML
    make: gr.Button
    choosing: gr.Column
    moments: gr.HTML
    approved: gr.CheckboxGroup
    called: gr.Textbox
    share: gr.Button
    again: gr.Button
    link: gr.HTML


def build(stage: Stage, who: gr.Dropdown) -> BlindTestPanel:
    """The blind test of the twin chosen in `who`."""
    panel = _layout()
    changed = parts(panel)
    who.change(safely(_draw, panel), who, changed, **QUIET)
    panel.again.click(safely(_draw, panel), who, changed, **QUIET)
    panel.make.click(
        safely(_make_moments, panel, stage), who, changed, concurrency_id="exam", concurrency_limit=1,
        show_progress_on=panel.score, **PRIVATE,
    )  # fmt: skip
    panel.share.click(safely(_share, panel), [who, panel.approved, panel.called], changed, **QUIET)
    return panel


def _layout() -> BlindTestPanel:
    score = gr.HTML(ABOUT_BLIND_TEST, elem_id="blind-score")
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
    return BlindTestPanel(score, make, choosing, moments, approved, called, share, again, link)


def _make_moments(
    panel: BlindTestPanel,
    stage: Stage,
    request: gr.Request,
    who: str | None,
    bar: gr.Progress = gr.Progress(),  # noqa: B008
) -> Updates:
    from pipeline.evaluation import make_rounds

    run_dir = own_twin(visitor_of(request), who)
    if run_dir is None:
        raise ChatError("Choose a twin first: nobody needs to guess which answer is the untrained model's.")
    make_rounds(run_dir, MOMENTS, progress=on_page(bar), loaded=stage.models)
    return _drawn(panel, run_dir, request)


def _draw(panel: BlindTestPanel, request: gr.Request, who: str | None) -> Updates:
    return _drawn(panel, own_twin(visitor_of(request), who), request)


def _share(
    panel: BlindTestPanel, request: gr.Request, who: str | None, approved: Sequence[str], called: str
) -> Updates:
    """Let friends see the ticked moments and no others, and show the link."""
    from pipeline.evaluation import blind

    run_dir = own_run(visitor_of(request), who)
    blind.approve(run_dir, approved)
    blind.invite(run_dir, called)
    return _drawn(panel, run_dir, request)


def _drawn(panel: BlindTestPanel, run_dir: Path | None, request: gr.Request) -> Updates:
    """The panel as the run's folder has it."""
    from pipeline.dataset import read_about
    from pipeline.evaluation import blind

    rounds = blind.read_rounds(run_dir) if run_dir else []
    if run_dir is None or not rounds:
        return {
            panel.score: ABOUT_BLIND_TEST,
            panel.make: gr.Button("Choose moments"),
            panel.choosing: gr.Column(visible=False),
        }
    invitation = blind.read_invitation(run_dir)
    choices = [(f"{number}", one.id) for number, one in enumerate(rounds, 1)]
    ticked = [one.id for one in rounds if one.approved]
    return {
        panel.score: ABOUT_BLIND_TEST + score_line(blind.score(run_dir)),
        panel.make: gr.Button("Choose other moments"),
        panel.choosing: gr.Column(visible=True),
        panel.moments: moments_to_approve(rounds),
        panel.approved: gr.CheckboxGroup(choices, value=ticked),
        panel.called: invitation.called if invitation else read_about(RunFolder(run_dir).dataset.path)[0].person,
        panel.link: _link(invitation.key, len(ticked), request) if invitation and ticked else "",
    }


def _link(key: str, moments: int, request: gr.Request) -> str:
    """The address for friends: the share link where there is one, else the host under which this page was opened."""
    opened = request.headers.get("origin") or f"http://{request.headers.get('host', '')}"
    address = f"{(os.environ.get('CHAT_TWIN_ADDRESS') or opened).rstrip('/')}{PATH}{key}"
    hint = ""
    if (urlsplit(address).hostname or "") in HOME:
        hint = " It opens on this computer only: for friends elsewhere start the app with GRADIO_SHARE=1."
    elif os.environ.get("SPACE_ID"):
        hint = " Where the Space is private, they need access to it."
    return invitation_link(address, moments, hint)
