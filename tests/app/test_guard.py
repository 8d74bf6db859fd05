"""What anyone on the network may ask of the app, and what it answers."""

import json

import pytest
from asking import Page, ask, enter, join, multipart, outcome, upload

pytestmark = pytest.mark.slow  # each worker starts an app


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


def test_an_upload_without_a_key_is_not_taken(app):
    body, kind = multipart(("_chat.txt", "canary-nobody"))
    answer = ask(f"{app.url}gradio_api/upload", data=body, kind=kind)
    assert answer.status == 403
    assert b"cookie" in answer.read()
    found = [file for file in app.home.rglob("*") if file.is_file() and b"canary-nobody" in file.read_bytes()]
    assert found == []


def test_a_workspace_is_not_served_by_path(app):
    cookie = enter(app)
    upload(app, cookie, "anything")
    listing = next(app.home.glob("visitors/*/seen"))
    for path in (
        f"gradio_api/file={listing}",
        f"gradio_api/file={listing.parent}/../{listing.parent.name}/seen",
    ):
        assert ask(app.url + path, cookie=enter(app)).status in (403, 404)
    for path in ("mine/../../../etc/passwd", "mine/%2e%2e/%2e%2e/seen", "mine/seen"):
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
        assert join(app, other, "thief", config["dependencies"][number]["id"], [file]).status == 200
        answer = outcome(app, other, "thief")
        assert b"process_completed" in answer
        assert b"canary-theft" not in answer
    assert set(app.home.glob("visitors/*/*/source*")) == there


def test_what_goes_past_the_queue_is_answered_to_its_own_page_alone(app):
    page = Page(app.url)
    past = [one for one in page.functions.values() if not one["queue"]]
    assert past
    for one in past:
        call = {"data": [None] * len(one["inputs"]), "fn_index": one["id"], "session_hash": page.session}
        asked = {"data": json.dumps(call).encode()}
        path = f"{app.url}gradio_api/run/predict"
        assert ask(path, cookie=page.cookie, **asked).status in (200, 500)  # 500: there is no chat yet, in a sentence
        assert ask(path, cookie=enter(app), **asked).status == 404
        assert ask(path, **asked).status == 403
