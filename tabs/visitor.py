"""What the tabs share: which visitor a request comes from, what lies in their workspace, and when it changed.

The chat, the dataset and the runs live in the visitor's folder and nowhere else: no gr.State and no module holds them.
A handler takes `request: gr.Request`, calls `visitor_of(request)`, and reads from the folder what it needs. The page's
`Stage` holds stamps only: short strings that change when the chat (dataset, runs) changes, "" where there is none yet.
A tab redraws itself on `stage.chat.change(...)`, and after a reload, which sets the stamps anew.

To offer a file for download: write it into the workspace and link to it by `download_link`, which only its visitor can
follow. Gradio's own gr.File and gr.DownloadButton keep copies that "Delete my data" would miss.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.chat import BASE
from pipeline.errors import ChatError, described
from pipeline.store import workspace
from pipeline.visitors import Visitor, own_run
from tabs.page import GENERIC, sentence
from web.cookie import NO_COOKIE, key_in

if TYPE_CHECKING:
    from pipeline.inference import LoadedModels

__all__ = ["Stage", "download_link", "own_twin", "safely", "visitor_of"]

log = logging.getLogger("chat_twin")


@dataclass(frozen=True)
class Stage:
    """The components that the tabs share."""

    chat: gr.State
    dataset: gr.State
    runs: gr.State
    tabs: gr.Tabs
    models: LoadedModels  # in memory, shared by all; a visitor's adapters in it are forgotten with their folder


def visitor_of(request: gr.Request) -> Visitor:
    """The visitor behind a request, by their cookie; the folder is made if it is not there.

    Never trust a folder, a path or a session hash from the page. Raises ChatError where the browser keeps no cookie.
    """
    key = key_in(request.cookies)
    if not key:
        raise ChatError(NO_COOKIE)
    return Visitor(workspace.create(key=key))


def own_twin(visitor: Visitor, who: str | None) -> Path | None:
    """The run of the twin chosen on the page, None for the base model; raises ChatError where it is not theirs."""
    return None if who in (None, "", BASE) else own_run(visitor, who)


def download_link(visitor: Visitor, path: Path, label: str) -> str:
    """HTML of a link that downloads a file of the workspace; it opens for this visitor only."""
    name = path.relative_to(visitor.folder).as_posix()
    return f'<a class="download" href="./mine/{escape(name)}" download="{escape(path.name)}">{escape(label)}</a>'


def safely(handler: Callable[..., Any], *bound: Any) -> Callable[..., Any]:
    """Wrap a handler so that what goes wrong is one sentence on the page, and never chat text there or in the log.

    ChatError shows its own sentence; anything else a general one, and its type and place (no values) go to the log.
    Works for plain functions and for generators. `bound` are the handler's first arguments, which are not the page's.
    """
    import inspect

    given = functools.partial(handler, *bound)

    @functools.wraps(handler)
    def generate(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            with contextlib.closing(given(*args, **kwargs)) as steps:
                for updates in steps:
                    yield _or_nothing(updates)
        except Exception as error:
            raise _sentence(error) from None

    @functools.wraps(handler)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return _or_nothing(given(*args, **kwargs))
        except Exception as error:
            raise _sentence(error) from None

    wrapped: Callable[..., Any] = generate if inspect.isgeneratorfunction(handler) else call
    # Gradio asks by these what it may fill in; a name that is known to the type checker alone would hide them all.
    signature = inspect.signature(given)
    wrapped.__signature__ = signature  # type: ignore[attr-defined]
    wrapped.__annotations__ = {
        name: note for name, note in handler.__annotations__.items() if name in signature.parameters
    }
    return wrapped


def _or_nothing(updates: Any) -> Any:
    """No updates by component as Gradio knows it."""
    return gr.skip() if updates == {} else updates


def _sentence(error: Exception) -> gr.Error:
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, ChatError):
        return sentence(escape(str(error)))
    log.error("%s", described(error))
    return sentence(GENERIC)
