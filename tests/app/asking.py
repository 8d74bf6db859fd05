"""What anyone on the network can send to the app: requests with any header, uploads, events and what comes of them."""

import json
import secrets
import time
import urllib.error
import urllib.request
import uuid
from http.client import HTTPResponse

__all__ = ["Page", "ask", "enter", "join", "multipart", "outcome", "upload"]


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


class Page:
    """The page as its script drives it: values are sent with each event, and changed by what comes back."""

    def __init__(self, url: str, cookie: str = "") -> None:
        self.url = url
        self.cookie = cookie or ask(url).headers["set-cookie"].split(";")[0]
        self.session = secrets.token_hex(6)
        config = json.load(ask(f"{url}config", cookie=self.cookie))
        self.functions = {one["id"]: one for one in config["dependencies"] if one["backend_fn"]}
        self.parts = {part["id"]: part["props"] for part in config["components"]}
        self.kinds = {part["id"]: part["type"] for part in config["components"]}
        self.named = {props["elem_id"]: id for id, props in self.parts.items() if props.get("elem_id")}
        self.states = [id for id, kind in self.kinds.items() if kind == "state"]

    def fire(self, part: str | int, event: str = "click", seconds: float = 300, **values: object) -> list[bytes]:
        """Set off an event with all that follows from it; what each of its functions told at last."""
        target = [part if isinstance(part, int) else self.named[part], event]
        first = [id for id, one in self.functions.items() if target in one["targets"]]
        assert first, f"nothing happens on {event} of {part}"
        told = []
        for function in first:
            told.append(self.call(function, seconds=seconds, **values))
        return told

    def call(self, function: int, seconds: float = 300, event_data: object = None, **values: object) -> bytes:
        """Call one function with the values of the page, some of them changed by their elem_id; its last message."""
        for name, value in values.items():
            self.parts[self.named[name.replace("_", "-")]]["value"] = value
        one = self.functions[function]
        data = [None if self.kinds[id] == "state" else self.parts[id].get("value") for id in one["inputs"]]
        answer = join(self, self.cookie, self.session, function, data, event_data=event_data)
        body = answer.read()
        if answer.status != 200:
            return body
        event = json.loads(body)["event_id"]
        stream = ask(
            f"{self.url}gradio_api/queue/data?session_hash={self.session}", cookie=self.cookie, seconds=seconds
        )
        until = time.monotonic() + seconds
        while time.monotonic() < until and (line := stream.readline()):
            if b'"process_completed"' in line and event.encode() in line:
                self._apply(one["outputs"], json.loads(line[6:])["output"])
                return line
        raise TimeoutError(f"function {function} did not end")

    def upload(self, text: str, name: str = "chat.txt") -> bytes:
        """Bring a chat; what the page is told."""
        path = upload(self, self.cookie, text, name)
        file = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        return self.fire("upload", "upload", upload=file)[0]

    def _apply(self, outputs: list[int], output: dict[str, object]) -> None:
        """What came back becomes the page's."""
        for id, value in zip(outputs, output.get("data") or [], strict=False):
            if isinstance(value, dict) and value.get("__type__") == "update":
                self.parts[id].update({name: new for name, new in value.items() if name != "__type__"})
            else:
                self.parts[id]["value"] = value
