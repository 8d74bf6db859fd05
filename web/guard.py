"""What stands between the network and Gradio: who asks, what they may ask for, and how much.

One ASGI middleware around the whole app, Gradio's own middleware included:

- answers under the names that it was told of, and to its own page alone: not to other sites' (`web.origin`);
- gives each browser a random key in an HttpOnly cookie; the workspace is found by it in every request, so that knowing
  another visitor's session hash, event, file path or run name opens nothing (`web.sessions`);
- lets through what the page needs of Gradio and nothing else, within limits (`pipeline.store.limits`);
- puts uploads where only their sender finds them (`web.uploads`), and serves a workspace's own files under /mine/;
- hands /play/, which is for people who were invited, to a page of its own (`web.friends`);
- lets no error out but one sentence, and nothing of anybody's into the log.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from pipeline.errors import described
from pipeline.store import limits, workspace
from web.asgi import App, Message, Receive, Refused, Scope, Send, answer, cookies, header
from web.cookie import COOKIE, NO_COOKIE, key_in
from web.friends import PATH, play
from web.origin import check_host, check_origin
from web.sessions import NOT_YOURS, Sessions
from web.uploads import Uploads

__all__ = ["Guard"]

log = logging.getLogger("chat_twin")
GENERIC = "Something went wrong on our side; nothing of yours is lost. Please try again."
API = "/gradio_api"
MINE = "/mine/"

# What the page asks of Gradio. Whatever else Gradio answers (deep links, a proxy, recordings, its other ways to call a
# function, which leave out what is checked here) is not for this app.
READ = {
    "/", "/config", "/config/", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/pwa_icon",
    "/login/huggingface", "/login/callback", "/logout",
    f"{API}/info", f"{API}/app_id", f"{API}/startup-events", f"{API}/theme.css", f"{API}/login_check", f"{API}/user",
}  # fmt: skip
READ_UNDER = ("/assets/", "/static/", "/svelte/")
# What the page calls: functions by the queue or, where one says so, past it.
ASKED = {f"{API}/{name}" for name in ("upload", "queue/join", "run/predict", "cancel", "reset")}
SAID = {"/login"}  # the password, where the owner set one

# Nothing on the page may load from another host, whatever a message holds. Gradio and Vega need inline code and eval;
# a Space's frame needs the resizer script that Gradio names there.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self' https://huggingface.co; frame-ancestors 'self' https://huggingface.co; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob: https://cdnjs.cloudflare.com/ajax/libs/iframe-resizer/"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


class Guard:
    """The middleware; `root` is the folder over all workspaces, `sessions` binds Gradio's pages to visitors."""

    def __init__(self, app: App, root: Path, sessions: Sessions) -> None:
        self.app = app
        self.root = root
        self.sessions = sessions
        self.uploads = Uploads(app, root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # Gradio speaks no other protocol
            await send({"type": "websocket.close", "code": 1008})
            return
        began = False

        async def said(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._answer(scope, receive, said)
        except Refused as no:
            if not began:
                await answer(_with_headers(send, HEADERS), no.status, str(no))
        except Exception as error:
            log.error("%s", described(error))
            if not began:
                await answer(_with_headers(send, HEADERS), 500, GENERIC)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_host(scope)
        path = scope["path"]
        if path.startswith(PATH):
            await play(scope, receive, send, self.root)
            return
        check_origin(scope)
        key = key_in(cookies(scope))
        new = workspace.new_key() if not key and path == "/" else None
        send = _with_headers(send, [*HEADERS, *([(b"set-cookie", _cookie(scope, new))] if new else [])])
        if scope["method"] in ("GET", "HEAD"):
            await self._read(scope, receive, send, key)
        elif scope["method"] == "POST":
            await self._post(scope, receive, send, key)
        else:
            raise Refused(405, "Not here.")

    async def _read(self, scope: Scope, receive: Receive, send: Send, key: str | None) -> None:
        path = scope["path"]
        if path in READ or path.startswith(READ_UNDER):
            if path in ("/", "/config", "/config/"):
                _only(scope, "__theme", "view", "page")
                self._touch(key)
            await self.app(scope, receive, send)
            return
        if not key:
            raise Refused(404, "Not here.")
        folder = workspace.find(key, self.root)
        if path.startswith(MINE):
            self._touch(key)
            await _send_file(send, folder, path.removeprefix(MINE))
        elif path.startswith(f"{API}/file="):
            if not workspace.owns_upload(folder, Path(path.partition("=")[2])):
                raise Refused(404, "Not here.")
            await self.app(scope, receive, send)
        elif path.startswith(f"{API}/heartbeat/"):
            await self._heartbeat(scope, receive, send, folder)
        elif path == f"{API}/queue/data":
            self.sessions.check(_query(scope, "session_hash"), folder.name)
            await self.app(scope, receive, send)
        elif path == f"{API}/upload_progress":
            self.sessions.claim_upload(_query(scope, "upload_id"), folder.name)
            await self.app(scope, receive, send)
        else:
            raise Refused(404, "Not here.")

    async def _post(self, scope: Scope, receive: Receive, send: Send, key: str | None) -> None:
        path = scope["path"]
        if path in SAID:
            await self.app(scope, _replay(await _body(scope, receive), receive), send)
            return
        if path not in ASKED:
            raise Refused(404, "Not here.")
        if not key:
            raise Refused(403, NO_COOKIE)
        visitor = workspace.find(key, self.root).name
        self._touch(key)
        if path == f"{API}/upload":
            if upload := _query(scope, "upload_id"):
                self.sessions.claim_upload(upload, visitor)
            await self.uploads.take(scope, receive, send, key)
            return
        body = await _body(scope, receive)
        asked = _parsed(body)
        if path in (f"{API}/queue/join", f"{API}/run/predict"):
            session = self.sessions.claim(asked.get("session_hash"), visitor)
            self.sessions.check_join(session, asked.get("fn_index"), visitor)
        elif path == f"{API}/cancel":
            self.sessions.check(asked.get("session_hash"), visitor)
            self.sessions.check_event(asked.get("event_id"), asked.get("session_hash"))
        await self.app(scope, _replay(body, receive), send)

    async def _heartbeat(self, scope: Scope, receive: Receive, send: Send, folder: Path) -> None:
        """A page that is open: its visitor is there as long as it beats."""
        session = self.sessions.claim(scope["path"].removeprefix(f"{API}/heartbeat/"), folder.name)

        async def beaten(message: Message) -> None:
            _touch(folder, active=False)
            await send(message)

        self.sessions.opened(session)
        try:
            await self.app(scope, receive, beaten)
        finally:
            self.sessions.closed(session)

    def _touch(self, key: str | None) -> None:
        if key:
            _touch(workspace.find(key, self.root), active=True)


def _touch(folder: Path, *, active: bool) -> None:
    if folder.exists():
        try:
            workspace.touch(folder, active=active)
        except OSError:  # purged between the two calls: nothing to keep alive
            return


def _with_headers(send: Send, more: list[tuple[bytes, bytes]]) -> Send:
    """Sends with these headers, too, and without those by which Gradio would let other sites read the answer."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if not name.lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": [*kept, *more]}
        await send(message)

    return sent


def _cookie(scope: Scope, key: str) -> bytes:
    # A Space is shown in a frame of another site: there a cookie must be partitioned, and thus secure.
    secure = "https" in (scope.get("scheme"), header(scope, "x-forwarded-proto").split(",")[0])
    rule = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    return f"{COOKIE}={key}; Path=/; Max-Age=2592000; HttpOnly; {rule}".encode()


def _query(scope: Scope, name: str) -> str:
    query: bytes = scope["query_string"]
    try:
        return parse_qs(query.decode("latin-1"), max_num_fields=20).get(name, [""])[0]
    except ValueError:
        return ""


def _only(scope: Scope, *names: str) -> None:
    """Leave out all but these of the query: Gradio would open a deep link, which writes and reads values of pages."""
    pairs = scope["query_string"].split(b"&")
    scope["query_string"] = b"&".join(pair for pair in pairs if pair.split(b"=")[0].decode("latin-1") in names)


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body of a request. Raises Refused where it is too long, or the other side has gone."""
    most = limits().body_bytes
    declared = header(scope, "content-length")
    if declared.isdecimal() and not (len(declared) < 20 and most.allows(int(declared))):
        raise Refused(413, most)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, NOT_YOURS)
        body += message.get("body", b"")
        if not most.allows(len(body)):
            raise Refused(413, most)
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, then whatever comes after it."""
    given = False

    async def received() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "This is not what the page sends.") from None
    if not isinstance(asked, dict):
        raise Refused(400, "This is not what the page sends.")
    return asked


async def _send_file(send: Send, folder: Path, name: str) -> None:
    """A file of the visitor's own workspace as a download. Raises Refused for anything else."""
    try:
        path = (folder / name).resolve(strict=True)
        found = path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        raise Refused(404, "Not here.")
    headers = [
        (b"content-type", b"application/octet-stream"),
        (b"content-disposition", f'attachment; filename="{path.name}"'.encode("ascii", "replace")),
        (b"content-length", str(path.stat().st_size).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            await send({"type": "http.response.body", "body": block, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
