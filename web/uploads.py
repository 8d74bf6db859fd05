"""Files on their way in: counted and weighed while they come, then put where only their sender finds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.errors import ChatError
from pipeline.store import limits, workspace
from web.asgi import App, Message, Receive, Refused, Scope, Send, header

__all__ = ["Uploads"]

NOT_WHOLE = "The upload did not arrive whole: choose the file again."


class Uploads:
    """Passes uploads on to Gradio; `root` is the folder over all workspaces."""

    def __init__(self, app: App, root: Path) -> None:
        self.app = app
        self.root = root
        self.coming: list[str] = []  # the workspace of each that is on its way

    async def take(self, scope: Scope, receive: Receive, send: Send, key: str) -> None:
        """Answer an upload of the visitor of this key. Raises Refused where it is not taken."""
        folder = workspace.create(self.root, key)
        size = self._check(scope, folder)
        weighed = _Weighed(receive, size, header(scope, "content-type"))
        answered = _Answer()
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        known = workspace.identity(folder)
        self.coming.append(folder.name)
        try:
            await self.app({**scope, "headers": headers}, weighed, answered)
            places = self._arrived(folder, answered, known)
        except Refused:
            raise
        except Exception as error:
            raise weighed.refused or _no_room(error) or Refused(400, NOT_WHOLE) from None
        finally:
            self.coming.remove(folder.name)
            # What came of it lies where nobody owns it, too; so does what is still coming of another.
            workspace.sweep_uploads(self.root, age=workspace.ON_ITS_WAY if self.coming else 0)
        if weighed.refused:
            raise weighed.refused
        body = answered.body if places is None else json.dumps(places).encode()
        length = (b"content-length", str(len(body)).encode())
        kept = [(name, value) for name, value in answered.headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": answered.status, "headers": [*kept, length]})
        await send({"type": "http.response.body", "body": body})

    def _check(self, scope: Scope, folder: Path) -> int:
        """The declared size in bytes (0: none). Raises Refused where the upload is too much."""
        most = limits()
        declared = header(scope, "content-length")
        size = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
        if not most.upload_bytes.allows(size):
            raise Refused(413, most.upload_bytes)
        if not most.uploads.allows(self.coming.count(folder.name) + 1):
            raise Refused(429, most.uploads)
        try:
            workspace.need_disk(folder, size)
        except ChatError as error:
            raise Refused(507, error) from None
        return size

    def _arrived(self, folder: Path, answered: _Answer, known: str | None) -> list[str] | None:
        """Where the files lie now, each in a folder of its own; None where Gradio took none."""
        if answered.status != 200:
            return None
        found = [Path(path) for path in json.loads(answered.body)]
        places = [workspace.take_upload(folder, path, known) for path in found]
        if not all(places):
            raise Refused(409, NOT_WHOLE)
        return [str(place) for place in places]


class _Answer:
    """Gradio's answer, held back."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


class _Weighed:
    """A request's body, cut off as soon as it is too long or holds too many files; `refused` says why."""

    def __init__(self, receive: Receive, size: int, kind: str) -> None:
        self.receive = receive
        self.most = size or limits().upload_bytes.most
        mark = kind.partition("boundary=")[2].strip().strip('"').encode("latin-1")
        self.mark = b"--" + mark if mark else b""
        self.bytes = self.parts = 0
        self.tail = b""
        self.refused: Refused | None = None

    async def __call__(self) -> Message:
        message: Any = await self.receive()
        chunk = message.get("body", b"")
        self.bytes += len(chunk)
        if self.mark:
            window = self.tail + chunk
            self.parts += window.count(self.mark)
            self.tail = window[-(len(self.mark) - 1) :]
        # The last mark ends the last part.
        if not limits().upload_files.allows(self.parts - 1):
            self.refused = Refused(413, limits().upload_files)
        elif self.bytes > self.most:
            self.refused = Refused(413, limits().upload_bytes)
        return {"type": "http.disconnect"} if self.refused else message


def _no_room(error: Exception) -> Refused | None:
    """The refusal for a disk that is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno == 28:
            return Refused(507, limits().free_bytes)
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return None
