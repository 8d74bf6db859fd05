"""One person under two names, merged and parted on the page: its handlers, without a browser."""

from types import SimpleNamespace

import pytest
from built import built

from pipeline.errors import ChatError
from pipeline.messages import people
from pipeline.store import workspace
from pipeline.visitors import incoming_folder, load_chat, load_choices, save_choices
from tabs.analyse import start
from tabs.visitor import visitor_of
from web.cookie import COOKIE

LINES = "".join(f"03/04/2024, 21:1{i} - {name}: hi\n" for i, name in enumerate(["Ann", "Ann", "Ann Smith", "Bob"]))


@pytest.fixture
def page():
    return built(start.build)[0]


@pytest.fixture
def request_of_one(page):
    """A request of a visitor whose chat is loaded."""
    request = SimpleNamespace(cookies={COOKIE: workspace.new_key()})
    visitor = visitor_of(request)
    path = incoming_folder(visitor) / "chat.txt"
    path.write_text(LINES, encoding="utf-8")
    start._read(page, visitor, path)
    return request


def names(request):
    return people(load_chat(visitor_of(request)).messages)


def test_names_are_merged_and_given_back(page, request_of_one):
    visitor = visitor_of(request_of_one)
    save_choices(visitor, person="Ann Smith")
    drawn = start._draw_names(page.names, request_of_one)
    assert drawn[page.names.fold].visible
    assert drawn[page.names.fold].open
    assert (drawn[page.names.name].value, drawn[page.names.into].value) == ("Ann Smith", "Ann")
    assert not drawn[page.names.undo].visible
    assert drawn[page.names.merged] == ""
    merged = start._merge(page, request_of_one, "Ann Smith", "Ann")
    assert merged[page.stage.chat]
    assert merged[page.stage.dataset] == ""
    assert names(request_of_one) == ["Ann", "Bob"]
    assert load_chat(visitor).title == "Ann & Bob"
    assert load_choices(visitor)["person"] == "Ann"
    drawn = start._draw_names(page.names, request_of_one)
    assert drawn[page.names.undo].visible
    assert "Ann Smith is now Ann" in drawn[page.names.merged]
    start._unmerge(page, request_of_one)
    assert names(request_of_one) == ["Ann", "Ann Smith", "Bob"]


def test_dates_read_the_other_way_keep_the_merged_names(page, request_of_one):
    start._merge(page, request_of_one, "Ann Smith", "Ann")
    before = load_chat(visitor_of(request_of_one)).messages["sent_at"][0]
    start._flip(page, request_of_one)
    after = load_chat(visitor_of(request_of_one)).messages["sent_at"][0]
    assert ((before.day, before.month), names(request_of_one)) == ((after.month, after.day), ["Ann", "Bob"])


@pytest.mark.parametrize(("name", "into"), [("Ann", "Ann"), ("Zoe", "Ann"), (None, "Ann"), ("Ann", None)])
def test_what_cannot_be_merged_is_refused(page, request_of_one, name, into):
    with pytest.raises(ChatError, match="two different names"):
        start._merge(page, request_of_one, name, into)
    assert names(request_of_one) == ["Ann", "Ann Smith", "Bob"]
