"""Pages bound to the browser that opened them, counted, and dropped."""

from dataclasses import dataclass, field

import pytest

from pipeline.store.limits import SHARED
from web.asgi import Refused
from web.sessions import CLOSED_SECONDS, Sessions

ANN, EVE = "ann's folder", "eve's folder"


@dataclass
class Kept:
    """What Gradio would keep: events by id, as (session, function), and what was dropped."""

    events: dict[str, tuple[str, int]] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)

    def waiting(self):
        return list(self.events.values())

    def knows(self, function):
        return function < 100

    def session_of(self, event):
        return self.events[event][0] if event in self.events else None

    def drop(self, session):
        self.dropped.append(session)

    def reset(self, session):
        self.fresh.append(session)


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def sessions(kept, monkeypatch):
    monkeypatch.setenv("CHAT_TWIN_HOSTS", "*")
    return Sessions(kept)


def test_a_session_is_whose_it_was_first(sessions):
    sessions.claim("page", ANN)
    sessions.claim("page", ANN)
    sessions.check("page", ANN)
    with pytest.raises(Refused):
        sessions.claim("page", EVE)
    for session in ("page", "unknown", None, 7):
        with pytest.raises(Refused):
            sessions.check(session, EVE)


@pytest.mark.parametrize("session", [None, "", 7, ["page"], "a b", "x" * 65, "../x", "é"])
def test_what_is_no_hash_is_refused(sessions, session):
    with pytest.raises(Refused):
        sessions.claim(session, ANN)


def test_an_event_is_cancelled_from_its_own_page(sessions, kept):
    kept.events = {"e1": ("page", 1)}
    sessions.check_event("e1", "page")
    sessions.check_event("over already", "page")
    with pytest.raises(Refused):
        sessions.check_event("e1", "other")


def test_an_upload_tells_its_progress_to_its_sender(sessions):
    sessions.claim_upload("u1", ANN)
    sessions.claim_upload("u1", ANN)
    with pytest.raises(Refused):
        sessions.claim_upload("u1", EVE)


@pytest.mark.parametrize("function", [None, "1", 1.5, True, 100, -1 + 10**9])
def test_there_must_be_such_a_function(sessions, function):
    with pytest.raises(Refused):
        sessions.check_join("page", function, ANN)


def test_one_visitor_cannot_fill_the_queue(sessions, kept):
    for page in ("a", "b"):
        sessions.claim(page, EVE)
    sessions.claim("mine", ANN)
    said = []
    for number in range(500):
        session, function = "ab"[number % 2], number % 60
        try:
            sessions.check_join(session, function, EVE)
        except Refused as no:
            said.append((no.status, str(no)))
        else:
            kept.events[f"e{number}"] = (session, function)
    assert len(kept.events) == SHARED.events.most
    assert set(said) == {(429, str(SHARED.events))}
    sessions.check_join("mine", 1, ANN)


def test_one_button_is_worked_on_a_few_times_at_once(sessions, kept):
    sessions.claim("a", EVE)
    kept.events = {f"e{i}": ("a", 7) for i in range(int(SHARED.same_events.most))}
    with pytest.raises(Refused, match="worked on already"):
        sessions.check_join("a", 7, EVE)
    sessions.check_join("a", 8, EVE)


def test_all_together_cannot_ask_for_more_than_there_is_room_for(sessions, kept):
    kept.events = {f"e{i}": (f"s{i}", 1) for i in range(int(SHARED.events_in_all.most))}
    with pytest.raises(Refused) as no:
        sessions.check_join("mine", 1, ANN)
    assert no.value.status == 503


def test_of_too_many_pages_the_closed_ones_go_first(sessions, kept):
    most = int(SHARED.sessions.most)
    for number in range(most):
        sessions.claim(f"p{number}", ANN)
        if number != 3:
            sessions.opened(f"p{number}")
    sessions.claim("one-more", ANN)
    assert kept.dropped == ["p3"]
    assert len(sessions) == most


def test_many_visitors_keep_no_more_pages_than_there_may_be(sessions, kept):
    for number in range(int(SHARED.sessions_in_all.most) * 2):
        sessions.claim(f"p{number}", f"visitor {number}")
    assert len(sessions) == SHARED.sessions_in_all.most
    assert len(kept.dropped) == SHARED.sessions_in_all.most


def test_a_page_that_was_closed_is_dropped_after_a_grace(sessions, kept):
    sessions.claim("page", ANN)
    sessions.opened("page")
    sessions.sweep(now=10**9)
    assert kept.dropped == []
    sessions.closed("page")
    sessions.sweep()
    assert kept.dropped == []
    sessions.opened("page")  # the connection had only been lost
    sessions.sweep(now=10**9)
    assert kept.dropped == []
    sessions.closed("page")
    sessions.sweep(now=10**9 + CLOSED_SECONDS)
    assert kept.dropped == ["page"]
    sessions.claim("page", EVE)


def test_forgetting_a_visitor_drops_their_pages_alone(sessions, kept):
    for session, visitor in (("here", ANN), ("there", ANN), ("other", EVE)):
        sessions.claim(session, visitor)
        sessions.opened(session)
    sessions.claim_upload("u1", ANN)
    sessions.forget(ANN, but="here")
    assert kept.dropped == ["there"]
    assert kept.fresh == ["here"]
    sessions.closed("here")
    assert kept.dropped == ["there", "here"]
    sessions.check("other", EVE)
    sessions.claim_upload("u1", EVE)
