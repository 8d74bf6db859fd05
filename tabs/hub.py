"""A push to the Hub, a part of two tabs: what would go up is shown first, private by default, with consent."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

from pipeline.errors import ChatError
from pipeline.visitors import Visitor
from tabs.progress import on_page
from tabs.visitor import safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates, Values, parts
from web.bubbles import failed
from web.views.hub import pushed_html, upload_html

if TYPE_CHECKING:
    from pipeline.hub import Upload

__all__ = ["HubPanel", "build", "hub_is_off"]

OFF = (
    "Pushing is off here: this page was shared from somebody's computer, and it would go up in their name. "
    "Open the app on your own computer, or on a Space where you sign in as yourself."
)
CHANGED = "What would go up has changed since you looked at it: look at it again, and agree anew."
HOME = ("127.0.0.1", "::1", "localhost")


def hub_is_off(request: gr.Request) -> bool:
    """Whether this visitor could push in another's name: any but the owner at home, where no one signs in."""
    if os.environ.get("SPACE_ID"):
        return False
    shared = os.environ.get("GRADIO_SHARE", "").lower() in ("1", "true")
    return shared or request.client.host not in HOME


@dataclass(frozen=True)
class HubPanel:
    """One kind of push. `reviewed`: the digest of what was shown, which alone may go."""

    look: gr.Button
    form: gr.Column
    summary: gr.HTML
    repo: gr.Textbox
    consent: gr.Checkbox
    public: gr.Checkbox
    again: gr.Checkbox
    push: gr.Button
    done: gr.HTML
    reviewed: gr.State

    @property
    def asked(self) -> set[Block]:
        """What is read before a push."""
        return {self.repo, self.consent, self.public, self.again, self.reviewed}


def build(what: str, name: str, prepare: Callable[[Visitor, Path], Upload]) -> HubPanel:
    """The form for one kind of push; `prepare` writes what would go up into a folder.

    `what` is pushed, in words; `name` makes the ids of the components and of the folder.
    """
    gr.HTML(
        f'<p class="quiet">{what} goes to a private repository of your own. '
        "Nothing goes up before you have seen it.</p>"
    )
    if os.environ.get("SPACE_ID"):
        gr.LoginButton(size="sm", scale=0, min_width=200)
    panel = _layout(name)
    # A look on another page must not change what is going up.
    shown, going = (functools.partial(_prepared, place=place, prepare=prepare) for place in (name, f"{name}-push"))
    panel.look.click(safely(_look, panel, shown), None, parts(panel), show_progress="minimal", **PRIVATE)
    panel.push.click(
        safely(_push, panel, going), panel.asked, parts(panel), concurrency_id="hub", show_progress_on=panel.done,
        **PRIVATE,
    )  # fmt: skip
    panel.public.input(lambda public: gr.Checkbox(value=False, visible=public), panel.public, panel.again, **QUIET)
    return panel


def _layout(name: str) -> HubPanel:
    from pipeline.hub import CONSENT

    look = gr.Button("Show what would go up", size="sm", scale=0, min_width=190, elem_id=f"{name}-look")
    with gr.Column(visible=False, elem_id=f"{name}-form") as form:
        summary = gr.HTML()
        repo = gr.Textbox(label="Repository", info="name, or owner/name", elem_id=f"{name}-repo", max_lines=1)
        consent = gr.Checkbox(False, label=CONSENT, elem_id=f"{name}-consent")
        public = gr.Checkbox(False, label="Make it public")
        again = gr.Checkbox(
            False, label="Yes, public: anybody may read it, and copies cannot be taken back", visible=False
        )
        push = gr.Button("Push", scale=0, min_width=160, elem_id=f"{name}-push")
        done = gr.HTML(elem_id=f"{name}-pushed")
    return HubPanel(look, form, summary, repo, consent, public, again, push, done, gr.State(""))


def _look(panel: HubPanel, prepared: Callable[[gr.Request], Upload], request: gr.Request) -> Updates:
    """Write what would go up into the visitor's folder, and list it; whoever agreed to something else agrees anew."""
    return _reviewed(panel, prepared(request)) | {panel.done: ""}


def _reviewed(panel: HubPanel, upload: Upload) -> Updates:
    return {
        panel.summary: upload_html(upload),
        panel.form: gr.Column(visible=True),
        panel.reviewed: upload.digest,
        panel.consent: False,
        panel.public: False,
        panel.again: gr.Checkbox(value=False, visible=False),
    }


def _push(
    panel: HubPanel,
    prepared: Callable[[gr.Request], Upload],
    request: gr.Request,
    token: gr.OAuthToken | None,
    values: Values,
    bar: gr.Progress = gr.Progress(),  # noqa: B008
) -> Updates:
    from pipeline.hub import find_token, push

    if not values[panel.repo].strip():
        raise ChatError("Name the repository that it should go to.")
    upload = prepared(request)
    if upload.digest != values[panel.reviewed]:
        return _reviewed(panel, upload) | {panel.done: failed(CHANGED)}
    pushed = push(
        upload,
        values[panel.repo],
        find_token(token.token if token is not None else None),
        consent=values[panel.consent],
        public=values[panel.public],
        public_again=values[panel.again],
        progress=on_page(bar),
    )
    return {panel.done: pushed_html(pushed)}


def _prepared(request: gr.Request, *, place: str, prepare: Callable[[Visitor, Path], Upload]) -> Upload:
    """What would go up, written into the visitor's folder. Raises ChatError where this visitor may not push."""
    if hub_is_off(request):
        raise ChatError(OFF)
    visitor = visitor_of(request)
    return prepare(visitor, visitor.files.uploads / place)
