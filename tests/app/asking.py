"""What anyone on the network can send to the app: requests with any header, uploads, events and what comes of them."""

import json
import time
import urllib.error
import urllib.request
import uuid
from http.client import HTTPResponse

__all__ = ["ask", "enter", "join", "multipart", "outcome", "upload"]


def ask(
    url: str,
    *,
    cookie: str = "",
    data: bytes | None = None,
    kind: str = "application/json",
    seconds: float = 20,
    **headers: str,
) -> HTTPResponse:
    """The answer, whatever its status; headers as sec_fetch_site="cross-site"."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=data, headers={"Cookie": cookie, "Content-Type": kind, **named})
    try:
        return urllib.request.urlopen(request, timeout=seconds)
    except urllib.error.HTTPError as error:
        return error  # type: ignore[return-value]


def enter(app) -> str:
    """A new visitor's cookie."""
    return ask(app.url).headers["set-cookie"].split(";")[0]


def multipart(*files: tuple[str, str]) -> tuple[bytes, str]:
    """(body, content type) of an upload of (name, text) pairs."""
    mark = uuid.uuid4().hex
    parts = "".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        f"Content-Type: text/plain\r\n\r\n{text}\r\n"
        for name, text in files
    )
    return f"{parts}--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


def upload(app, cookie: str, text: str, name: str = "_chat.txt") -> str:
    """Upload a file as the page does; its path on the server."""
    body, kind = multipart((name, text))
    answer = ask(f"{app.url}gradio_api/upload", cookie=cookie, data=body, kind=kind)
    assert answer.status == 200
    return json.load(answer)[0]


def join(app, cookie: str, session: str, function: int, data: list[object], **more: object) -> HTTPResponse:
    """Ask for an event as the page does."""
    body = {"data": data, "fn_index": function, "session_hash": session, **more}
    return ask(f"{app.url}gradio_api/queue/join", cookie=cookie, data=json.dumps(body).encode())


def outcome(app, cookie: str, session: str, seconds: float = 60) -> bytes:
    """What the session is told until its event is over."""
    until = time.monotonic() + seconds
    stream = ask(f"{app.url}gradio_api/queue/data?session_hash={session}", cookie=cookie, seconds=seconds)
    told = b""
    while b"process_completed" not in told and time.monotonic() < until and (line := stream.readline()):
        told += line
    return told
