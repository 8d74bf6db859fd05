"""What anyone on the network may ask of the app, and what it answers."""

import json
import urllib.error
import urllib.request
import uuid
from http.client import HTTPResponse

import pytest

pytestmark = pytest.mark.slow  # each worker starts an app


def ask(url: str, *, cookie: str = "", data: bytes | None = None, kind: str = "application/json") -> HTTPResponse:
    request = urllib.request.Request(url, data=data, headers={"Cookie": cookie, "Content-Type": kind})
    try:
        return urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        return error  # type: ignore[return-value]


def enter(app) -> str:
    """A new visitor's cookie."""
    return ask(app.url).headers["set-cookie"].split(";")[0]


def upload(app, cookie: str, text: str) -> str:
    """Upload a file as the page does; its path on the server."""
    mark = uuid.uuid4().hex
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="_chat.txt"\r\n'
        f"Content-Type: text/plain\r\n\r\n{text}\r\n--{mark}--\r\n"
    )
    answer = ask(
        f"{app.url}gradio_api/upload", cookie=cookie, data=body.encode(), kind=f"multipart/form-data; boundary={mark}"
    )
    assert answer.status == 200
    return json.load(answer)[0]


def test_a_key_is_given_once_and_scripts_cannot_read_it(app):
    first = ask(app.url)
    rules = first.headers["set-cookie"]
    assert "HttpOnly" in rules
    assert "SameSite" in rules
    assert ask(app.url, cookie=rules.split(";")[0]).headers["set-cookie"] is None
    assert ask(app.url).headers["set-cookie"].split(";")[0] != rules.split(";")[0]


def test_a_made_up_cookie_is_replaced(app):
    for value in ("short", "../../etc", "a" * 500):
        assert ask(app.url, cookie=f"chat_twin={value}").headers["set-cookie"]


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/deep_link?session_hash=any",
        "gradio_api/%64eep_link?session_hash=any",
        "gradio_api/runs",
        "gradio_api/run-history/records",
        "gradio_api/proxy=https://example.org/",
        "monitoring",
        "monitoring/summary",
    ],
)
def test_what_gradio_leaves_open_is_closed(app, path):
    assert ask(app.url + path).status == 404


def test_the_page_may_load_nothing_from_elsewhere(app):
    policy = ask(app.url).headers["content-security-policy"]
    assert "img-src 'self' data: blob:" in policy
    assert "default-src 'self'" in policy
    assert "connect-src 'self'" in policy


def test_an_upload_is_seen_by_its_sender_alone(app):
    mine, other = enter(app), enter(app)
    path = upload(app, mine, "canary-upload")
    assert ask(f"{app.url}gradio_api/file={path}", cookie=mine).read().strip() == b"canary-upload"
    for cookie in (other, ""):
        answer = ask(f"{app.url}gradio_api/file={path}", cookie=cookie)
        assert answer.status == 404
        assert b"canary" not in answer.read()


def test_an_upload_without_a_key_is_not_kept(app):
    path = upload(app, "", "canary-nobody")
    found = [file for file in app.home.rglob("*") if file.is_file() and b"canary-nobody" in file.read_bytes()]
    assert found == []
    assert path


def test_a_workspace_is_not_served_by_path(app):
    cookie = enter(app)
    upload(app, cookie, "anything")
    listing = next(app.home.glob("visitors/*/uploads.txt"))
    for path in (
        f"gradio_api/file={listing}",
        f"gradio_api/file={listing.parent}/../{listing.parent.name}/uploads.txt",
    ):
        assert ask(app.url + path, cookie=enter(app)).status in (403, 404)
    for path in ("mine/../../../etc/passwd", "mine/%2e%2e/%2e%2e/uploads.txt", "mine/uploads.txt"):
        assert ask(app.url + path, cookie=enter(app)).status == 404


def test_handlers_do_not_take_another_visitors_upload(app):
    mine, other = enter(app), enter(app)
    there = set(app.home.glob("visitors/*/*/source*"))
    path = upload(app, mine, "[15.03.24, 09:00:00] Ada: canary-theft\n")
    config = json.load(ask(f"{app.url}config", cookie=other))
    takers = [
        number for number, dependency in enumerate(config["dependencies"])
        if any(target[1] == "upload" for target in dependency["targets"])
    ]  # fmt: skip
    assert takers
    for number in takers:
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        call = {"data": [file], "fn_index": config["dependencies"][number]["id"], "session_hash": "thief"}
        ask(f"{app.url}gradio_api/queue/join", cookie=other, data=json.dumps(call).encode())
        stream = ask(f"{app.url}gradio_api/queue/data?session_hash=thief", cookie=other)
        answer = b""
        while b"process_completed" not in answer and (line := stream.readline()):
            answer += line
        assert b"process_completed" in answer
        assert b"canary-theft" not in answer
    assert set(app.home.glob("visitors/*/*/source*")) == there
