"""What stands between the network and Gradio: who the visitor is, and what Gradio would hand to anyone who asks.

One ASGI middleware:

- gives each browser a random key in an HttpOnly cookie; the workspace is found by it in every request, so that knowing
  another visitor's session hash, file path or run name opens nothing;
- notes who uploaded a file, and serves a workspace's own files under /mine/ to its visitor alone;
- hands /play/, which is for people who were invited, to a page of its own;
- closes what Gradio leaves open: deep links (which write session values to disk), uploaded files to anyone with the
  path, the proxy, remote images named in a message (a content security policy).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pipeline.store import workspace
from web.friends import PATH, play

__all__ = ["COOKIE", "Guard", "key_in"]

COOKIE = "chat_twin"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CLOSED = ("/gradio_api/deep_link", "/gradio_api/proxy=", "/gradio_api/runs", "/gradio_api/run-history", "/monitoring")

# Nothing on the page may load from another host, whatever a message holds. Gradio and Vega need inline code and eval;
# a Space's frame needs the resizer script that Gradio names there.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self' https://huggingface.co; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob: https://cdnjs.cloudflare.com/ajax/libs/iframe-resizer/"
)


def key_in(cookies: Any) -> str | None:
    """The visitor's key among a request's cookies (any mapping), or None if there is none of ours."""
    key = cookies.get(COOKIE) if cookies else None
    return (
        key
        if isinstance(key, str) and 40 <= len(key) <= 64 and key.replace("-", "").replace("_", "").isalnum()
        else None
    )


class Guard:
    """The middleware; `root` is the folder over all workspaces."""

    def __init__(self, app: App, root: Path) -> None:
        self.app = app
        self.root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = unquote(scope["path"])
        if path.startswith(PATH):
            await play(scope, receive, send, self.root)
            return
        known = key_in(_cookies(scope))
        new = workspace.new_key() if not known and path == "/" else None
        folder = workspace.find(known or new or "", self.root)
        if path.startswith(CLOSED) or (self._is_ours(path) and not self._may_read(path, folder)):
            await _answer(send, 404, b"Not here.")
            return
        if path.startswith("/mine/"):
            await _send_file(send, folder, path.removeprefix("/mine/"))
            return
        heartbeat = path.startswith("/gradio_api/heartbeat/")
        _touch(folder, active=not heartbeat)
        body = bytearray()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_headers(scope, new)]
            elif message["type"] == "http.response.body":
                if heartbeat:
                    _touch(folder, active=False)
                if path == "/gradio_api/upload":
                    body.extend(message.get("body", b""))
                    if not message.get("more_body"):
                        _note_uploads(self.root, known, bytes(body))
            await send(message)

        await self.app(scope, receive, watched)

    def _is_ours(self, path: str) -> bool:
        """Whether the request names a file of the app's own folder through Gradio's file route."""
        return path.startswith(("/gradio_api/file=", "/gradio_api/file/", "/file=")) and str(self.root) in path

    def _may_read(self, path: str, folder: Path) -> bool:
        return "=" in path and ".." not in path and workspace.owns_upload(folder, Path(path.split("=", 1)[1]))


def _touch(folder: Path, *, active: bool) -> None:
    if folder.exists():
        try:
            workspace.touch(folder, active=active)
        except OSError:  # purged between the two calls: nothing to keep alive
            return


def _note_uploads(root: Path, key: str | None, body: bytes) -> None:
    """Give uploaded files to the visitor of `key`; those of nobody are deleted, since nobody could ever read them."""
    try:
        paths = json.loads(body)
    except ValueError:
        return
    for path in paths if isinstance(paths, list) else ():
        if key:
            workspace.add_upload(workspace.create(root, key), Path(path))
        else:
            Path(path).unlink(missing_ok=True)


def _cookies(scope: Scope) -> dict[str, str]:
    header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def _headers(scope: Scope, new_key: str | None) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-security-policy", POLICY.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if new_key:
        # A Space is shown in a frame of another site: there a cookie must be partitioned, and thus secure.
        forwarded = dict(scope["headers"]).get(b"x-forwarded-proto", b"").decode("latin-1")
        secure = "https" in (scope.get("scheme"), forwarded.split(",")[0])
        rule = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
        headers.append((b"set-cookie", f"{COOKIE}={new_key}; Path=/; Max-Age=2592000; HttpOnly; {rule}".encode()))
    return headers


async def _send_file(send: Send, folder: Path, name: str) -> None:
    """A file of the visitor's own workspace as a download; 404 for anything else."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        await _answer(send, 404, b"Not here.")
        return
    disposition = f'attachment; filename="{path.name}"'.encode("ascii", "replace")
    headers = [
        (b"content-type", b"application/octet-stream"),
        (b"content-disposition", disposition),
        (b"content-length", str(path.stat().st_size).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            await send({"type": "http.response.body", "body": block, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
