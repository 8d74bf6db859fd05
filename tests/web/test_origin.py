"""Who may ask: by which name, and from which page."""

import pytest

from web.asgi import Refused
from web.origin import check_host, check_origin


def request(path="/config", method="GET", **headers):
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": path, "method": method, "headers": named}


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    for name in ("SPACE_ID", "SPACE_HOST", "GRADIO_SHARE", "CHAT_TWIN_HOSTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "localhost:80", "[::1]:7860", "app.localhost:7860"])
def test_at_home_the_computers_own_names_are_answered(host):
    check_host(request(host=host))


@pytest.mark.parametrize("host", ["evil.test", "evil.test:7860", "127.0.0.1.evil.test", "192.168.0.7:7860", "", "]["])
def test_at_home_no_other_name_is(host):
    with pytest.raises(Refused, match="CHAT_TWIN_HOSTS"):
        check_host(request(host=host))


def test_names_that_the_owner_gives_are_answered(monkeypatch):
    monkeypatch.setenv("CHAT_TWIN_HOSTS", "twin.example.org, Box")
    check_host(request(host="box:7860"))
    check_host(request(host="twin.example.org"))
    with pytest.raises(Refused):
        check_host(request(host="evil.test"))
    monkeypatch.setenv("CHAT_TWIN_HOSTS", "*")
    check_host(request(host="evil.test"))


@pytest.mark.parametrize("name", ["SPACE_ID", "GRADIO_SHARE"])
def test_behind_a_proxy_of_others_every_name_is_answered(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    check_host(request(host="ann-twin.hf.space"))


@pytest.mark.parametrize(
    "headers",
    [
        {},  # no browser, or an old one
        {"sec_fetch_site": "same-origin", "origin": "null"},
        {"sec_fetch_site": "none"},
        {"origin": "https://twin.test", "host": "twin.test"},
        {"origin": "https://twin.test", "host": "10.0.0.1", "x_forwarded_host": "twin.test"},
    ],
)
def test_the_apps_own_page_may_ask(headers):
    check_origin(request(method="POST", **headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
        {"origin": "https://evil.test", "host": "twin.test"},
        {"origin": "null", "host": "twin.test"},
        {"origin": "https://twin.test.evil.test", "host": "twin.test"},
        {"origin": "not an address", "host": "twin.test"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_other_sites_may_not(headers, method):
    with pytest.raises(Refused, match="site"):
        check_origin(request(path="/mine/chat/chat.json", method=method, **headers))


def test_a_link_leads_in_and_nowhere_else():
    arriving = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    check_origin(request(path="/", **arriving))
    check_origin(request(path="/login/callback", **arriving))
    for path, method in (("/logout", "GET"), ("/", "POST"), ("/gradio_api/queue/join", "POST")):
        with pytest.raises(Refused):
            check_origin(request(path=path, method=method, **arriving))


def test_a_space_knows_its_own_name(monkeypatch):
    monkeypatch.setenv("SPACE_HOST", "ann-twin.hf.space")
    check_origin(request(method="POST", origin="https://ann-twin.hf.space", host="10.1.2.3"))
