"""The few words of ASGI that the middleware speaks: types, headers, cookies, an answer in one sentence."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

__all__ = ["App", "Message", "Receive", "Refused", "Scope", "Send", "answer", "cookies", "header"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Refused(Exception):  # noqa: N818 it is no error of ours
    """A request that is not answered: the status, and the sentence for whoever asked."""

    def __init__(self, status: int, sentence: object) -> None:
        super().__init__(str(sentence))
        self.status = status


def header(scope: Scope, name: str) -> str:
    """A header of the request, "" where there is none; the first of several."""
    wanted = name.encode("latin-1")
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), "")


def cookies(scope: Scope) -> dict[str, str]:
    """The request's cookies; none where they cannot be read."""
    written = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(written).items()}
    except CookieError:
        return {}


async def answer(send: Send, status: int, sentence: str) -> None:
    """Say one sentence, in the form in which Gradio's page shows it."""
    body = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
