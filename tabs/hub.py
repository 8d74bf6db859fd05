"""A push to the Hub, a part of two tabs: what would go up is shown first, private by default, with consent."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.visitors import Visitor
from tabs.visitor import safely, visitor_of
from web.words import count

if TYPE_CHECKING:
    from pipeline.hub import Pushed, Upload

__all__ = ["build", "hub_is_off"]

OFF = (
    "Pushing is off here: this page was shared from somebody's computer, and it would go up in their name. "
    "Open the app on your own computer, or on a Space where you sign in as yourself."
)
HOME = ("127.0.0.1", "::1", "localhost")


def hub_is_off(request: gr.Request) -> bool:
    """Whether this visitor could push in another's name: any but the owner at home, where no one signs in."""
    if os.environ.get("SPACE_ID"):
        return False
    shared = os.environ.get("GRADIO_SHARE", "").lower() in ("1", "true")
    return shared or request.client.host not in HOME


def build(what: str, name: str, prepare: Callable[[Visitor, Path], Upload]) -> None:
    """The form for one kind of push; `prepare` writes what would go up into a folder.

    `what` is pushed, in words; `name` makes the ids of the components and of the folder.
    """
    private: dict[str, Any] = {"api_visibility": "private"}

    def show(request: gr.Request) -> list[Any]:
        """Write what would go up into the visitor's folder, and list it."""
        return [_summary(_prepared(request, name, prepare)), gr.Column(visible=True), ""]

    def push(
        request: gr.Request, token: gr.OAuthToken | None, repo: str, consent: bool, public: bool, again: bool
    ) -> str:
        from pipeline.hub import find_token
        from pipeline.hub import push as push_upload

        if not repo.strip():
            raise ChatError("Name the repository that it should go to.")
        upload = _prepared(request, name, prepare)
        mine = find_token(token.token if token is not None else None)
        return _pushed(push_upload(upload, repo, mine, consent=consent, public=public, public_again=again))

    gr.HTML(
        f'<p class="quiet">{what} goes to a private repository of your own. '
        "Nothing goes up before you have seen it.</p>"
    )
    if os.environ.get("SPACE_ID"):
        gr.LoginButton(size="sm", scale=0, min_width=200)
    look = gr.Button("Show what would go up", size="sm", scale=0, min_width=190, elem_id=f"{name}-look")
    with gr.Column(visible=False, elem_id=f"{name}-form") as form:
        summary, fields, go, done = _form(name)
    look.click(safely(show), None, [summary, form, done], show_progress="minimal", **private)
    go.click(safely(push), fields, done, concurrency_id="hub", **private)


def _form(name: str) -> tuple[gr.HTML, list[Any], gr.Button, gr.HTML]:
    """What would go up, the fields of `push` (repository, consent, public, public again), its button, and the end."""
    from pipeline.hub import CONSENT

    summary = gr.HTML()
    repo = gr.Textbox(label="Repository", info="name, or owner/name", elem_id=f"{name}-repo", max_lines=1)
    consent = gr.Checkbox(False, label=CONSENT, elem_id=f"{name}-consent")
    public = gr.Checkbox(False, label="Make it public")
    again = gr.Checkbox(False, label="Yes, public: anybody may read it, and copies cannot be taken back", visible=False)
    go = gr.Button("Push", scale=0, min_width=160, elem_id=f"{name}-push")
    done = gr.HTML(elem_id=f"{name}-pushed")
    public.input(
        lambda public: gr.Checkbox(value=False, visible=public), public, again,
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    return summary, [repo, consent, public, again], go, done


def _prepared(request: gr.Request, name: str, prepare: Callable[[Visitor, Path], Upload]) -> Upload:
    """What would go up, written into the visitor's folder. Raises ChatError where this visitor may not push."""
    if hub_is_off(request):
        raise ChatError(OFF)
    visitor = visitor_of(request)
    return prepare(visitor, visitor.folder / "upload" / name)


def _pushed(pushed: Pushed) -> str:
    """Where it went, who sees it, and what changed since the last push."""
    seen = "Only you can see it." if pushed.private else "Everybody can see it."
    url = escape(pushed.url)
    rows = "".join(
        f"<tr><td>{escape(what)}</td><td class='number'>{before:,}</td><td class='number'>{now:,}</td>"
        f"<td class='number'>{f'{now - before:+,}' if now != before else 'the same'}</td></tr>"
        for what, (before, now) in pushed.changes.items()
        if before is not None
    )
    head = "<tr><th></th><th>Before</th><th>Now</th><th>Change</th></tr>"
    diff = f'<table class="list"><thead>{head}</thead><tbody>{rows}</tbody></table>' if rows else ""
    link = f'<a class="download" href="{url}" target="_blank" rel="noopener">{url}</a>'
    return f'<p class="done">{"Updated" if rows else "Done"}. {seen}</p><p>{link}</p>{diff}'


def _summary(upload: Upload) -> str:
    rows = "".join(
        f"<tr><td>{escape(file.path)}</td><td class='number'>{_size(file.bytes)}</td>"
        f"<td class='number'>{count(file.rows, 'row') if file.rows is not None else ''}</td></tr>"
        for file in upload.files
    )
    warnings = "".join(f'<p class="ask">{escape(warning)}</p>' for warning in upload.warnings)
    total = f"{count(len(upload.files), 'file')}, {_size(upload.bytes)} in all: these and nothing else."
    return f'{warnings}<table class="list"><tbody>{rows}</tbody></table><p class="quiet">{total}</p>'


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 1e5 else f"{number / 1e3:,.1f} kB"
